//! The pure core: every coding, every split, every way to be wrong.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::chain;
use super::{Coding, DecodeError, DecodeLimits, Decoder, RequestCompression};

const NO_LIMITS: DecodeLimits = DecodeLimits { ratio: None, bytes: None };

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
fn check(codings: &[Coding], body: &[u8], expected: &Result<&[u8], DecodeError>) {
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    for pieces in [vec![body], bytes] {
        let (output, end) = decoded(codings, &pieces, DecodeLimits::default());
        let told = end.map(|()| output.as_slice());
        assert_eq!(told, *expected, "{codings:?} in {} pieces: {}", pieces.len(), body.escape_ascii());
    }
}

fn corrupt(coding: Coding, reason: &'static str) -> Result<&'static [u8], DecodeError> {
    Err(DecodeError::Corrupt { coding, reason })
}

/// All codings that are built in.
fn all() -> Vec<Coding> {
    let all = [Coding::Gzip, Coding::Deflate, Coding::Zstd, Coding::Brotli];
    all.into_iter().filter(|coding| coding.is_built_in()).collect()
}

/// `pieces` encoded, each flushed: the coded bytes that a server would send after each, and its last ones.
fn flushed(coding: Coding, pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    match coding {
        #[cfg(feature = "gzip")]
        Coding::Gzip => write_flushed(pieces, |out| flate2::write::GzEncoder::new(out, flate2::Compression::default())),
        #[cfg(feature = "gzip")]
        Coding::Deflate => {
            write_flushed(pieces, |out| flate2::write::ZlibEncoder::new(out, flate2::Compression::default()))
        }
        #[cfg(feature = "brotli")]
        Coding::Brotli => write_flushed(pieces, |out| brotli::CompressorWriter::new(out, 4096, 5, 22)),
        #[cfg(feature = "zstd")]
        Coding::Zstd => zstd_flushed(pieces),
        other => panic!("{other} is not built in"),
    }
}

/// What an encoder writes, taken away after each flush. The end comes when it is dropped.
#[cfg(any(feature = "gzip", feature = "brotli"))]
fn write_flushed<W: std::io::Write>(
    pieces: &[Vec<u8>],
    encoder: impl Fn(std::sync::mpsc::Sender<Vec<u8>>) -> W,
) -> Vec<Vec<u8>>
where
    std::sync::mpsc::Sender<Vec<u8>>: Sized,
{
    let _ = (pieces, encoder);
    unreachable!()
}

#[cfg(feature = "zstd")]
fn zstd_flushed(pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    use zstd_safe::{CCtx, InBuffer, OutBuffer};
    let mut context = CCtx::create();
    let mut coded = Vec::new();
    for piece in pieces {
        let mut bytes = Vec::with_capacity(zstd_safe::compress_bound(piece.len()) + 1024);
        let mut from = InBuffer::around(piece);
        context.compress_stream(&mut OutBuffer::around(&mut bytes), &mut from).unwrap();
        assert_eq!(from.pos(), piece.len());
        let at = bytes.len();
        assert_eq!(context.flush_stream(&mut OutBuffer::around_pos(&mut bytes, at)).unwrap(), 0);
        coded.push(bytes);
    }
    let mut bytes = Vec::with_capacity(1024);
    assert_eq!(context.end_stream(&mut OutBuffer::around(&mut bytes)).unwrap(), 0);
    coded.push(bytes);
    coded
}
