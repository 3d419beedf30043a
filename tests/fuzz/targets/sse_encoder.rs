//! See `codex_fuzz::sse_encoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::sse_encoder(data));
