use flate2::Crc;

use super::{Coding, check, check_prefixes, corrupt, encoded};

const GZIP: Coding = Coding::Gzip;

fn member(text: &str) -> Vec<u8> {
    encoded(GZIP, text.as_bytes())
}

#[test]
fn members_follow_one_another_and_zeros_may_follow_them() {
    check(GZIP, &member("one"), Ok("one"));
    check(GZIP, &[member("one"), member(""), member("two")].concat(), Ok("onetwo"));
    check(GZIP, &[member("one"), vec![0; 100]].concat(), Ok("one"));
}

#[test]
fn nothing_else_follows_a_member() {
    let behind = |garbage: &[u8]| [&member("one"), garbage].concat();
    check(GZIP, &behind(b"\n"), corrupt(GZIP, "something follows its end"));
    check(GZIP, &behind(b"\0\x1f\x8b"), corrupt(GZIP, "something follows its end"));
    check(GZIP, &behind(b"\x1f\x9d"), corrupt(GZIP, "it does not begin as gzip does"));
}

#[test]
fn whatever_is_missing_is_missed() {
    check_prefixes(GZIP, &member("a text that is compressed"));
    let two = [member("one"), member("two")].concat();
    let (first, both) = (member("one").len(), two.len());
    for length in (first + 1)..both {
        check(GZIP, &two[..length], Err(super::DecodeError::Truncated { coding: GZIP }));
    }
}

/// A member whose header has these flags and fields.
fn with_header(flags: u8, fields: &[u8]) -> Vec<u8> {
    let plain = member("text");
    let mut header = plain[..10].to_vec();
    header[3] = flags;
    header.extend(fields);
    if flags & 2 != 0 {
        let mut crc = Crc::new();
        crc.update(&header);
        header.extend(&crc.sum().to_le_bytes()[..2]);
    }
    header.extend(&plain[10..]);
    header
}

#[test]
fn the_fields_of_a_header_are_passed_over() {
    check(GZIP, &with_header(0x01, b""), Ok("text"));
    check(GZIP, &with_header(0x02, b""), Ok("text"));
    check(GZIP, &with_header(0x04, b"\x03\x00abc"), Ok("text"));
    check(GZIP, &with_header(0x04, b"\x00\x00"), Ok("text"));
    check(GZIP, &with_header(0x04, &[&b"\x00\x01"[..], &[7; 256]].concat()), Ok("text"));
    check(GZIP, &with_header(0x08, b"name\0"), Ok("text"));
    check(GZIP, &with_header(0x10, b"\0"), Ok("text"));
    check(GZIP, &with_header(0x1f, b"\x03\x00abcname\0comment\0"), Ok("text"));
}

#[test]
fn what_is_wrong_with_a_member_is_told() {
    let damaged = |at: usize| {
        let mut damaged = with_header(0x02, b"");
        let at = if at < 50 { at } else { damaged.len() - (100 - at) };
        damaged[at] ^= 0x40;
        damaged
    };
    check(GZIP, &damaged(0), corrupt(GZIP, "it does not begin as gzip does"));
    check(GZIP, &damaged(1), corrupt(GZIP, "it does not begin as gzip does"));
    check(GZIP, &damaged(2), corrupt(GZIP, "it does not begin as gzip does"));
    check(GZIP, &damaged(3), corrupt(GZIP, "its header has unknown flags"));
    check(GZIP, &damaged(10), corrupt(GZIP, "the checksum of its header is wrong"));
    check(GZIP, &damaged(11), corrupt(GZIP, "the checksum of its header is wrong"));
    check(GZIP, &damaged(100 - 8), corrupt(GZIP, "its checksum is wrong"));
    check(GZIP, &damaged(100 - 1), corrupt(GZIP, "its checksum is wrong"));
    check(GZIP, b"data: {}\n\n", corrupt(GZIP, "it does not begin as gzip does"));
    // A block of the type that does not exist.
    let mut broken = member("")[..10].to_vec();
    broken.push(0x07);
    check(GZIP, &broken, corrupt(GZIP, "it cannot be decoded"));
}
