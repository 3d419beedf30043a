//! Ways of cutting a recorded stream into pieces.

use std::fmt;

use retry_policy::{Entropy, SplitMix64};

/// How the bytes of a recording arrive. None of it may make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunking {
    /// All at once.
    Whole,
    /// Every byte by itself.
    OneByte,
    /// Line by line.
    Lines,
    /// Every byte by itself, and the lines end with CR LF.
    Crlf,
    /// Pieces of 1 to 64 bytes, as the seed has it.
    Random(u64),
}

impl Chunking {
    /// One of each, and two seeds.
    pub const ALL: &'static [Self] =
        &[Self::Whole, Self::OneByte, Self::Lines, Self::Crlf, Self::Random(1), Self::Random(2)];

    /// The pieces of a recording, in order.
    pub fn pieces(self, recording: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Whole => vec![recording.to_vec()],
            Self::OneByte => recording.chunks(1).map(<[u8]>::to_vec).collect(),
            Self::Lines => recording.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
            Self::Crlf => with_crlf(recording).chunks(1).map(<[u8]>::to_vec).collect(),
            Self::Random(seed) => {
                let mut random = SplitMix64::new(seed);
                let mut rest = recording;
                let mut pieces = Vec::new();
                while !rest.is_empty() {
                    let length = 1 + (random.next_u64() % 64) as usize;
                    let (piece, more) = rest.split_at(length.min(rest.len()));
                    pieces.push(piece.to_vec());
                    rest = more;
                }
                pieces
            }
        }
    }
}

/// Every line feed that has no carriage return before it gets one.
fn with_crlf(recording: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(recording.len() + recording.len() / 32);
    let mut last = 0;
    for byte in recording {
        if *byte == b'\n' && last != b'\r' {
            bytes.push(b'\r');
        }
        bytes.push(*byte);
        last = *byte;
    }
    bytes
}

impl fmt::Display for Chunking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::OneByte => f.write_str("1-byte"),
            Self::Lines => f.write_str("lines"),
            Self::Crlf => f.write_str("crlf"),
            Self::Random(seed) => write!(f, "random-{seed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_recording_cut() {
        let recording = "data: a\r\n\ndata: ü\n".repeat(9).into_bytes();
        for &chunking in Chunking::ALL {
            let pieces = chunking.pieces(&recording);
            assert!(pieces.iter().all(|piece| !piece.is_empty()), "{chunking}");
            let expected = if chunking == Chunking::Crlf { with_crlf(&recording) } else { recording.clone() };
            assert_eq!(pieces.concat(), expected, "{chunking}");
        }
        assert_eq!(with_crlf(b"a\r\nb\n\n"), b"a\r\nb\r\n\r\n");
        let lengths = |seed| Chunking::Random(seed).pieces(&recording).iter().map(Vec::len).collect::<Vec<_>>();
        assert_ne!(lengths(1), lengths(2));
        assert_eq!(Chunking::Lines.pieces(b"a\nb")[1], b"b");
    }
}
