use super::{Coding, DecodeError, DecodeLimits, check, check_prefixes, corrupt, decoded, encoded};

const ZSTD: Coding = Coding::Zstd;

fn frame(text: &str) -> Vec<u8> {
    encoded(ZSTD, text.as_bytes())
}

/// A frame that the decoder is to pass over (RFC 8878, section 3.1.2).
const SKIPPED: &[u8] = b"\x50\x2a\x4d\x18\x03\0\0\0abc";

#[test]
fn frames_follow_one_another() {
    check(ZSTD, &frame("one"), Ok("one"));
    check(ZSTD, &[&frame("one"), SKIPPED, &frame(""), &frame("two"), SKIPPED].concat(), Ok("onetwo"));
}

#[test]
fn a_frame_that_fills_a_piece_to_the_byte_is_whole() {
    for length in [16 * 1024, 128 * 1024, 256 * 1024] {
        let coded = encoded(ZSTD, &super::text(length));
        let (output, end) = decoded(&[ZSTD], &[&coded], DecodeLimits::default());
        assert_eq!((output.len(), end), (length, Ok(())));
    }
}

#[test]
fn whatever_is_missing_is_missed() {
    check_prefixes(ZSTD, &frame("a text that is compressed"));
    let behind_one = [frame("one"), b"\x28".to_vec()].concat();
    check(ZSTD, &behind_one, Err(DecodeError::Truncated { coding: ZSTD }));
}

#[test]
fn what_is_no_zstd_is_refused() {
    check(ZSTD, &[&frame("one")[..], b"data: {}\n\n"].concat(), corrupt(ZSTD, "Unknown frame descriptor"));
    check(ZSTD, b"data: {}\n\n", corrupt(ZSTD, "Unknown frame descriptor"));
}

/// The header of a frame with a window of 2^`log` bytes, and an empty last block.
fn with_window(log: u8) -> Vec<u8> {
    [&b"\x28\xb5\x2f\xfd\0"[..], &[(log - 10) << 3], b"\x01\0\0"].concat()
}

#[test]
fn a_window_has_8_mib_at_most() {
    check(ZSTD, &with_window(23), Ok(""));
    for log in [24, 27, 31, 41] {
        check(ZSTD, &with_window(log), Err(DecodeError::WindowTooLarge { coding: ZSTD }));
    }
}

#[test]
fn a_wrong_checksum_is_noticed() {
    use zstd_safe::{CCtx, CParameter};
    let mut context = CCtx::create();
    context.set_parameter(CParameter::ChecksumFlag(true)).unwrap();
    let mut coded = Vec::with_capacity(100);
    context.compress2(&mut coded, b"text").unwrap();
    check(ZSTD, &coded, Ok("text"));
    *coded.last_mut().unwrap() ^= 1;
    check(ZSTD, &coded, corrupt(ZSTD, "Restored data doesn't match checksum"));
}
