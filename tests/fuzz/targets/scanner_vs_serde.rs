//! See `codex_fuzz::scanner_vs_serde`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::scanner_vs_serde(data));
