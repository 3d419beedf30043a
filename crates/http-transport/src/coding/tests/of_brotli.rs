use super::{Coding, check, check_prefixes, corrupt, encoded};

const BROTLI: Coding = Coding::Brotli;

#[test]
fn a_stream_ends_where_it_says() {
    let good = encoded(BROTLI, b"text");
    check(BROTLI, &good, Ok("text"));
    for garbage in [&b"\0"[..], &good] {
        check(BROTLI, &[&good[..], garbage].concat(), corrupt(BROTLI, "something follows its end"));
    }
}

#[test]
fn whatever_is_missing_is_missed() {
    check_prefixes(BROTLI, &encoded(BROTLI, b"a text that is compressed"));
}

#[test]
fn what_is_no_brotli_is_refused() {
    // The header of a window of up to 1 GiB, which is no part of RFC 7932.
    check(BROTLI, b"\x11\x1e\x03", corrupt(BROTLI, "it cannot be decoded"));
    check(BROTLI, b"data: {}\n\n", corrupt(BROTLI, "it cannot be decoded"));
}
