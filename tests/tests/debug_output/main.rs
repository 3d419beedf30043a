//! Where a secret can be given, and what could show it: no `Debug` does.

#[path = "../support/mod.rs"]
mod support;

mod log;
mod parts;
mod public;
mod settings;
mod shown;
mod streams;
mod turns;
