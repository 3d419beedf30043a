//! See `codex_fuzz::ws_frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::ws_frames(data));
