//! Everybody's way to do the same work, each as one function.

pub mod json;
pub mod sse;
pub mod sse_adapters;
pub mod ws;
