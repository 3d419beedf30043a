//! Where a secret can be given, and what could show it: no `Debug` does.

#[path = "../support/mod.rs"]
mod support;

mod settings;
mod shown;
mod streams;
