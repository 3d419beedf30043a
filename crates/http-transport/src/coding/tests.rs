//! The pure core: every coding, every split, every way to be wrong.

use bytes::Bytes;
use http::HeaderMap;
use proptest::prelude::*;

mod encode;
#[cfg(feature = "brotli")]
mod of_brotli;
#[cfg(feature = "gzip")]
mod of_deflate;
#[cfg(feature = "gzip")]
mod of_gzip;
#[cfg(feature = "zstd")]
mod of_zstd;

use super::chain;
use super::{Coding, DecodeError, DecodeLimits, Decoder, RequestCompression};

use self::encode::{encoded, flushed};

/// What comes out of `pieces`, and how it ends.
fn decoded(codings: &[Coding], pieces: &[&[u8]], limits: DecodeLimits) -> (Vec<u8>, Result<(), DecodeError>) {
    let mut decoder = Decoder::new(codings, limits).expect("built in");
    let mut output = Vec::new();
    for piece in pieces {
        if let Err(error) = pour(&mut decoder, piece, &mut output) {
            return (output, Err(error));
        }
    }
    (output, decoder.finish())
}

/// Gives the decoder some bytes and takes all that it has for them.
fn pour(decoder: &mut Decoder, piece: &[u8], output: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut input = Bytes::copy_from_slice(piece);
    while let Some(data) = decoder.decode(&mut input)? {
        assert!((1..=16 * 1024).contains(&data.len()), "{} bytes", data.len());
        output.extend_from_slice(&data);
    }
    assert!(input.is_empty());
    Ok(())
}

/// In one piece, and byte by byte.
fn check(coding: Coding, body: &[u8], expected: Result<&str, DecodeError>) {
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    for pieces in [vec![body], bytes] {
        let (output, end) = decoded(&[coding], &pieces, DecodeLimits::default());
        let told = end.map(|()| std::str::from_utf8(&output).unwrap());
        assert_eq!(told, expected, "{coding} in {} pieces: {}", pieces.len(), body.escape_ascii());
    }
}

/// Whatever is missing at the end, it is told.
fn check_prefixes(coding: Coding, body: &[u8]) {
    for length in 1..body.len() {
        let (_, end) = decoded(&[coding], &[&body[..length]], DecodeLimits::default());
        assert_eq!(end, Err(DecodeError::Truncated { coding }), "{length} of {} bytes", body.len());
    }
}

fn corrupt(coding: Coding, reason: &'static str) -> Result<&'static str, DecodeError> {
    Err(DecodeError::Corrupt { coding, reason })
}

/// All codings that are built in.
fn all() -> Vec<Coding> {
    let all = [Coding::Gzip, Coding::Deflate, Coding::Zstd, Coding::Brotli];
    all.into_iter().filter(|coding| coding.is_built_in()).collect()
}

/// A text that compresses as event streams do.
fn text(length: usize) -> Vec<u8> {
    let events = (0_u32..).flat_map(|n| {
        let number = n.wrapping_mul(2_654_435_761);
        format!("data: {{\"type\":\"response.output_text.delta\",\"delta\":\"{number}\"}}\n\n").into_bytes()
    });
    events.take(length).collect()
}

#[test]
fn what_a_server_flushes_comes_out_at_once() {
    for coding in all() {
        let events: Vec<Vec<u8>> = (0..20).map(|n| text(1000)[n * 40..n * 40 + 40 + n].to_vec()).collect();
        let mut decoder = Decoder::new(&[coding], DecodeLimits::default()).unwrap();
        let mut coded = flushed(coding, &events).into_iter();
        for event in &events {
            let mut output = Vec::new();
            pour(&mut decoder, &coded.next().unwrap(), &mut output).unwrap();
            assert_eq!(output, *event, "{coding}");
            assert_eq!(decoder.finish(), Err(DecodeError::Truncated { coding }));
        }
        pour(&mut decoder, &coded.next().unwrap(), &mut Vec::new()).unwrap();
        assert_eq!(decoder.finish(), Ok(()), "{coding}");
    }
}

#[test]
fn a_large_body_comes_out_whole_and_only_as_it_is_asked_for() {
    for coding in all() {
        let body = text(1_000_000);
        let mut coded = Bytes::from(encoded(coding, &body));
        let mut decoder = Decoder::new(&[coding], DecodeLimits::default()).unwrap();
        let first = decoder.decode(&mut coded).unwrap().unwrap();
        assert_eq!(first, body[..first.len()]);
        let stage = &decoder.stages[0];
        assert!(stage.produced <= 16 * 1024 && stage.consumed < 200 * 1024, "{coding} worked ahead");
        let mut output = first.to_vec();
        pour(&mut decoder, &[], &mut output).unwrap();
        assert!(output == body, "{coding}");
        assert_eq!(decoder.finish(), Ok(()));
    }
}

#[test]
fn a_body_without_a_byte_is_whole() {
    for coding in all() {
        check(coding, b"", Ok(""));
        check(coding, &encoded(coding, b""), Ok(""));
    }
}

#[test]
fn a_bomb_is_left_at_the_ratio() {
    for coding in all() {
        let bomb = encoded(coding, &vec![0; 16 << 20]);
        let (output, end) = decoded(&[coding], &[&bomb], DecodeLimits::default());
        assert_eq!(end, Err(DecodeError::Ratio { limit: 200 }), "{coding}");
        let allowed = (bomb.len() * 200).max(1 << 20);
        assert!(output.len() <= allowed, "{coding}: {} of {allowed}", output.len());
    }
}

#[test]
fn a_little_of_the_same_letter_is_no_bomb() {
    for coding in all() {
        let body = vec![b'a'; 1 << 20];
        let (output, end) = decoded(&[coding], &[&encoded(coding, &body)], DecodeLimits::default());
        assert_eq!((output.len(), end), (body.len(), Ok(())), "{coding}");
        let harmless = encoded(coding, &vec![b'a'; 4 << 20]);
        let limits = DecodeLimits { ratio: None, ..DecodeLimits::default() };
        assert_eq!(decoded(&[coding], &[&harmless], limits).1, Ok(()), "{coding}");
    }
}

#[test]
fn a_limit_in_bytes_holds_to_the_byte() {
    for coding in all() {
        let coded = encoded(coding, &text(100_000));
        for (limit, expected) in [(100_000, Ok(())), (99_999, Err(DecodeError::TooLong { limit: 99_999 }))] {
            let limits = DecodeLimits { bytes: Some(limit), ..DecodeLimits::default() };
            assert_eq!(decoded(&[coding], &[&coded], limits).1, expected, "{coding}");
        }
    }
}

#[test]
fn what_expands_between_two_codings_is_judged_too() {
    // Nothing of it comes out: behind a gzip member there may be zeros.
    for outer in all().into_iter().filter(|_| Coding::Gzip.is_built_in()) {
        let mut inner = encoded(Coding::Gzip, b"small");
        inner.resize(16 << 20, 0);
        let coded = encoded(outer, &inner);
        let (output, end) = decoded(&[Coding::Gzip, outer], &[&coded], DecodeLimits::default());
        assert_eq!((output.as_slice(), end), (&b"small"[..], Err(DecodeError::Ratio { limit: 200 })), "{outer}");
    }
}

#[test]
fn chains_are_undone_from_the_last_to_the_first() {
    for first in all() {
        for second in all() {
            let body = text(50_000);
            let coded = encoded(second, &encoded(first, &body));
            let (output, end) = decoded(&[first, second], &[&coded], DecodeLimits::default());
            assert!(output == body && end.is_ok(), "{first}, {second}: {end:?}");
        }
    }
}

/// The codings that a head with these `content-encoding` headers names.
fn named(values: &[&'static str]) -> Option<Vec<Coding>> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("content-encoding", value.parse().unwrap());
    }
    chain::named_in(&headers)
}

#[test]
fn codings_are_read_from_the_head_in_their_order() {
    let known = |codings: &[Coding]| Some(codings.to_vec()).filter(|all| all.iter().all(|coding| coding.is_built_in()));
    let check = |values: &[&'static str], expected: Option<Vec<Coding>>| {
        assert_eq!(named(values), expected, "{values:?}");
    };
    check(&[], Some(vec![]));
    check(&["identity"], Some(vec![]));
    check(&["", " , Identity ,"], Some(vec![]));
    check(&["gzip"], known(&[Coding::Gzip]));
    check(&["X-GZip"], known(&[Coding::Gzip]));
    check(&[" BR\t"], known(&[Coding::Brotli]));
    check(&["zstd"], known(&[Coding::Zstd]));
    check(&["deflate"], known(&[Coding::Deflate]));
    check(&["gzip, zstd"], known(&[Coding::Gzip, Coding::Zstd]));
    check(&["gzip", "identity,br", "zstd"], known(&[Coding::Gzip, Coding::Brotli, Coding::Zstd]));
    check(&["gzip,gzip,gzip"], known(&[Coding::Gzip; 3]));
    check(&["gzip,gzip,gzip,gzip"], None);
    for unknown in ["compress", "x-compress", "gzip, odd", "odd, gzip", "gzip;q=1", "aes128gcm", "g zip"] {
        check(&[unknown], None);
    }
}

#[test]
fn small_and_dense_bodies_are_sent_as_they_are() {
    assert_eq!(RequestCompression::default(), RequestCompression::Off);
    assert_eq!(RequestCompression::Off.compress(&text(100_000)), None);
    #[cfg(feature = "zstd")]
    {
        let zstd = RequestCompression::Zstd;
        assert_eq!(zstd.compress(&text(1023)), None);
        let (coded, coding) = zstd.compress(&text(1024)).unwrap();
        assert!(coded.len() < 1024 && coding == Coding::Zstd);
        let (output, end) = decoded(&[coding], &[&coded], DecodeLimits::default());
        assert!(output == text(1024) && end.is_ok());
        let dense = zstd.compress(&text(200_000)).unwrap().0;
        assert_eq!(zstd.compress(&dense), None);
    }
}

/// `body` cut into pieces of these lengths, over and over.
fn cut<'a>(body: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = body;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        let (piece, behind) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_split_gives_the_same(
        events in prop::collection::vec(prop::collection::vec(0_u8..8, 0..3000), 0..12),
        lengths in prop::collection::vec(1_usize..60, 1..6),
    ) {
        let body = events.concat();
        for coding in all() {
            let coded = flushed(coding, &events).concat();
            for pieces in [vec![coded.as_slice()], cut(&coded, &lengths)] {
                let (output, end) = decoded(&[coding], &pieces, DecodeLimits::default());
                prop_assert!(output == body && end.is_ok(), "{coding}: {end:?}");
            }
        }
    }

    #[test]
    fn nonsense_is_an_error_and_no_panic(
        mut garbage in prop::collection::vec(any::<u8>(), 1..400),
        at in any::<prop::sample::Index>(),
        bit in 0_u32..8,
    ) {
        for coding in all() {
            let _ = decoded(&[coding], &[&garbage], DecodeLimits::default());
            let mut damaged = encoded(coding, &text(3000));
            let at = at.index(damaged.len());
            damaged[at] ^= 1 << bit;
            let _ = decoded(&[coding], &[&damaged], DecodeLimits::default());
            // Behind a good beginning, too.
            garbage.splice(..0, encoded(coding, b"good"));
            let (output, _) = decoded(&[coding], &[&garbage], DecodeLimits::default());
            prop_assert!(output.starts_with(b"good") || coding == Coding::Zstd || coding == Coding::Brotli);
        }
    }
}
