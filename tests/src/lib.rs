//! Cross-crate test suites; see the files beside this folder. Here, what the documentation prints is compiled and run.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/recipes.md")]
struct Recipes;

#[cfg(doctest)]
#[doc = concat!("```\n", include_str!("../../crates/codex-api/examples/hello.rs"), "\n```")]
struct Hello;
