use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::{Coding, check, check_prefixes, corrupt, encoded};

const DEFLATE: Coding = Coding::Deflate;

fn bare(text: &str, level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn it_is_read_with_and_without_its_wrapper() {
    check(DEFLATE, &encoded(DEFLATE, b"text"), Ok("text"));
    for level in [0, 1, 6, 9] {
        check(DEFLATE, &bare("text", level), Ok("text"));
        check(DEFLATE, &bare("", level), Ok(""));
    }
}

#[test]
fn whatever_is_missing_is_missed() {
    check_prefixes(DEFLATE, &encoded(DEFLATE, b"a text that is compressed"));
    check_prefixes(DEFLATE, &bare("a text that is compressed", 6));
}

#[test]
fn what_is_wrong_is_told() {
    for good in [encoded(DEFLATE, b"text"), bare("text", 6)] {
        check(DEFLATE, &[&good[..], b"\0"].concat(), corrupt(DEFLATE, "something follows its end"));
    }
    let mut damaged = encoded(DEFLATE, b"text");
    *damaged.last_mut().unwrap() ^= 1;
    check(DEFLATE, &damaged, corrupt(DEFLATE, "it cannot be decoded"));
    // A dictionary that nobody has.
    check(DEFLATE, b"\x78\xbb\x01\x02\x03\x04\x4b", corrupt(DEFLATE, "it cannot be decoded"));
}
