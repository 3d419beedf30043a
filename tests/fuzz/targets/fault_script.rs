//! See `codex_fuzz::fault_script`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| codex_fuzz::fault_script(data));
