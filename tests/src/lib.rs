//! Cross-crate test suites; see the files beside this folder.
