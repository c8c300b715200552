#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| emonfeed_fuzz::rows::run(data));
