//! The decoder of content codings.

use bytes::Bytes;
use http_transport::{Coding, DecodeError, DecodeLimits, Decoder};

use super::input::Input;

/// The largest piece that comes out at once.
const PIECE: usize = 16 << 10;
/// What may come out of anything, however little went in.
const HARMLESS: usize = 1 << 20;

/// Any bytes in any coding, cut anywhere, come to the same, and to no more than the limits let them.
pub fn content_decoder(data: &[u8]) {
    let input = Input::of(data);
    let [whole, others @ ..] = input.chunkings(2).map(|chunks| decoded(input, &chunks));
    for other in others {
        assert_eq!(other.1.is_ok(), whole.1.is_ok(), "{:?} and {:?}", other.1, whole.1);
        // Where it goes wrong, it may do so some bytes earlier or later.
        let common = if whole.1.is_ok() { whole.0.len().max(other.0.len()) } else { whole.0.len().min(other.0.len()) };
        assert!(whole.0.get(..common) == other.0.get(..common), "other bytes");
    }
}

fn codings(input: Input<'_>) -> Vec<Coding> {
    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Zstd, Coding::Brotli];
    let number = input.number(0);
    let first = ALL[number % 4];
    // The one that was applied last stands last, and is undone first.
    if number < 16 { vec![first] } else { vec![ALL[number / 4 % 4], first] }
}

fn limits(input: Input<'_>) -> DecodeLimits {
    let bytes = match input.number(1) {
        0 => None,
        number => Some(number as u64 * 1_000),
    };
    DecodeLimits { bytes, ..DecodeLimits::default() }
}

fn decoded(input: Input<'_>, chunks: &[&[u8]]) -> (Vec<u8>, Result<(), DecodeError>) {
    let limits = limits(input);
    let mut decoder = Decoder::new(&codings(input), limits).expect("all are built in");
    let mut output = Vec::new();
    let end = chunks.iter().try_for_each(|chunk| pour(&mut decoder, chunk, &mut output));
    let ratio = limits.ratio.unwrap_or(u32::MAX) as usize;
    assert!(output.len() <= HARMLESS.max(input.body.len() * ratio) + PIECE, "{} bytes", output.len());
    assert!(limits.bytes.is_none_or(|limit| output.len() as u64 <= limit), "{} bytes", output.len());
    (output, end.and_then(|()| decoder.finish()))
}

fn pour(decoder: &mut Decoder, chunk: &[u8], output: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut rest = Bytes::copy_from_slice(chunk);
    while let Some(piece) = decoder.decode(&mut rest)? {
        assert!((1..=PIECE).contains(&piece.len()), "a piece of {} bytes", piece.len());
        output.extend_from_slice(&piece);
    }
    assert!(rest.is_empty(), "what was not read is lost");
    Ok(())
}
