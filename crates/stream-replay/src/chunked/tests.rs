use proptest::prelude::*;

use super::*;

const BODY: &[u8] = b"5\r\nhello\r\n6;name=\"x\"\r\n world\r\nA \r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\nnext";

/// Decodes `pieces` as they would arrive; the body, and what is left behind it.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<(Bytes, BytesMut)>, Refusal> {
    let mut decoder = Decoder::default();
    let mut input = BytesMut::new();
    let mut body = None;
    for piece in pieces {
        input.extend_from_slice(piece);
        if body.is_none() {
            body = decoder.decode(&mut input)?;
        }
    }
    Ok(body.map(|body| (body, input)))
}

#[test]
fn every_split_gives_the_same_body() {
    for first in 0..=BODY.len() {
        for second in first..=BODY.len() {
            let (body, rest) = decode([&BODY[..first], &BODY[first..second], &BODY[second..]]).unwrap().unwrap();
            assert_eq!(body, "hello world0123456789", "split at {first} and {second}");
            assert_eq!(rest, "next", "split at {first} and {second}");
        }
    }
    let (body, _) = decode(BODY.chunks(1)).unwrap().unwrap();
    assert_eq!(body, "hello world0123456789");
}

#[test]
fn an_unfinished_body_waits_for_more() {
    for end in 0..BODY.len() - b"next".len() {
        assert_eq!(decode([&BODY[..end]]), Ok(None), "cut at {end}");
    }
}

#[test]
fn broken_coding_is_refused() {
    let long_line = [b"1;", "x".repeat(MAX_SIZE_LINE).as_bytes()].concat();
    for wire in [
        &b"\r\n"[..],
        b"-1\r\n",
        b"5x\r\n",
        b"3\r\nabcd\r\n",
        b"11111111111111111\r\n",
        b"0\r\nbad\r\n\r\n",
        &long_line,
    ] {
        let refusal = decode([wire]).unwrap_err().into_response();
        assert!(format!("{refusal:?}").contains("status: 400"), "{wire:?}: {refusal:?}");
    }
}

#[test]
fn a_chunk_beyond_the_limit_is_refused_by_its_size_line() {
    let limit = format!("{MAX_BODY:x}\r\n");
    assert_eq!(decode([limit.as_bytes()]), Ok(None));
    let above = format!("{:x}\r\n", MAX_BODY + 1);
    assert_eq!(decode([above.as_bytes()]), Err(body_too_large()));
    let in_sum = format!("1\r\nx\r\n{MAX_BODY:x}\r\n");
    assert_eq!(decode([in_sum.as_bytes()]), Err(body_too_large()));
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8)) {
        let mut wire: Vec<u8> = parts.iter().flat_map(|part| chunk(part, part.len())).collect();
        wire.extend(LAST_CHUNK);
        let (body, rest) = decode(wire.chunks(3)).unwrap().unwrap();
        prop_assert_eq!(body, parts.concat());
        prop_assert!(rest.is_empty());
    }
}
