//! The project's own tasks: `cargo xtask test` and friends.
fn main() {}
