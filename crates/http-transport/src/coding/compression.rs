//! Bodies on their way out.

use bytes::Bytes;

use super::name::Coding;

/// What a client does to the bodies of its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestCompression {
    /// They are sent as they are.
    #[default]
    Off,
    /// Zstandard (RFC 8878), level 3: for a server that is known to take it.
    #[cfg(feature = "zstd")]
    Zstd,
}

/// Below this the headers outweigh what is saved.
const SMALLEST: usize = 1024;

impl RequestCompression {
    /// `body` compressed, and the name of the coding. `None` where it is better sent as it is: below 1 KiB, and where
    /// compressing gains nothing.
    pub fn compress(self, body: &[u8]) -> Option<(Bytes, Coding)> {
        let (compressed, coding): (Vec<u8>, _) = match self {
            _ if body.len() < SMALLEST => None,
            Self::Off => None,
            #[cfg(feature = "zstd")]
            Self::Zstd => Some((super::zstd::compress(body)?, Coding::Zstd)),
        }?;
        (compressed.len() < body.len()).then(|| (Bytes::from(compressed), coding))
    }
}
