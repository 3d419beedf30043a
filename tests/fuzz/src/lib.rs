//! What holds for any bytes, one function for each way into the project. A function panics where it does not hold.
//! It says nothing of how inputs are found: libFuzzer calls these functions, and so does a plain test with the seeds.
#![forbid(unsafe_code)]

mod cassette;
mod content_decoder;
mod fault_script;
mod hints;
mod input;
mod interpreter;
mod scanner;
mod sse_decoder;
mod sse_encoder;
mod ws_frames;

pub use cassette::cassette;
pub use content_decoder::content_decoder;
pub use fault_script::fault_script;
pub use hints::hints;
pub use interpreter::{chat_interpreter, responses_interpreter};
pub use scanner::scanner_vs_serde;
pub use sse_decoder::sse_decoder;
pub use sse_encoder::sse_encoder;
pub use ws_frames::ws_frames;

/// A property of any bytes.
pub type Property = fn(&[u8]);

/// The properties, by the names of their targets and of the folders of their seeds.
pub const TARGETS: &[(&str, Property)] = &[
    ("cassette", cassette),
    ("chat_interpreter", chat_interpreter),
    ("content_decoder", content_decoder),
    ("fault_script", fault_script),
    ("hints", hints),
    ("responses_interpreter", responses_interpreter),
    ("scanner_vs_serde", scanner_vs_serde),
    ("sse_decoder", sse_decoder),
    ("sse_encoder", sse_encoder),
    ("ws_frames", ws_frames),
];
