//! How far a body may expand.

use super::error::DecodeError;

/// How far a coded body may expand. The defaults are sensible; nothing of it is kept, so they bound work, not memory.
/// Set what should differ and take the rest from [`default`](Self::default): there may be more of them one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// So many decoded bytes for one that was received; judged once 1 MiB was decoded, since small texts of one letter
    /// do no harm. Default: 200. Event streams come to 10 or 30, gzip to 1032 at most, zstd and brotli far beyond.
    /// `None`: no limit.
    pub ratio: Option<u32>,
    /// So many decoded bytes in all. Default: `None`. A stream may be as long as it likes, and whoever collects one has
    /// a limit of its own; the ratio has no need of this one.
    pub bytes: Option<u64>,
}

/// Decoded bytes that are not judged by their ratio.
const RATIO_FROM: u64 = 1024 * 1024;

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { ratio: Some(200), bytes: None }
    }
}

impl DecodeLimits {
    /// Judges a body that came to `decoded` bytes from `received`.
    pub(super) fn check(&self, decoded: u64, received: u64) -> Result<(), DecodeError> {
        match (self.ratio, self.bytes) {
            (_, Some(limit)) if decoded > limit => Err(DecodeError::TooLong { limit }),
            (Some(limit), _) if decoded > RATIO_FROM && decoded / u64::from(limit).max(1) > received => {
                Err(DecodeError::Ratio { limit })
            }
            _ => Ok(()),
        }
    }
}
