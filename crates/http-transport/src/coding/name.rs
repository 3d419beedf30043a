//! The names of codings.

use std::fmt;

/// A content coding (RFC 9110, section 8.4.1, and the registry of codings).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// RFC 1952, one member or many. Feature `gzip`.
    Gzip,
    /// RFC 1950, and the bare RFC 1951 that some servers take it for. Feature `gzip`. It is decoded and never asked
    /// for: who can have it can have gzip.
    Deflate,
    /// RFC 8878 with a window of at most 8 MiB (RFC 9659). Feature `zstd`.
    Zstd,
    /// RFC 7932. Feature `brotli`.
    Brotli,
}

impl Coding {
    /// What `accept-encoding` asks for: `zstd`, `br` and `gzip`, as far as they are built in, in this order. It is that
    /// of what decoding costs for what is saved; no weights are sent, so a server chooses what it likes best.
    pub const ASKED_FOR: &'static [Self] = &[
        #[cfg(feature = "zstd")]
        Self::Zstd,
        #[cfg(feature = "brotli")]
        Self::Brotli,
        #[cfg(feature = "gzip")]
        Self::Gzip,
    ];

    /// The name in `content-encoding` and `accept-encoding`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }

    /// Whether its feature is on.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::Gzip | Self::Deflate => cfg!(feature = "gzip"),
            Self::Zstd => cfg!(feature = "zstd"),
            Self::Brotli => cfg!(feature = "brotli"),
        }
    }

    /// The coding of that name, in any case; `x-gzip` is the old name of gzip (section 8.4.1.3).
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        const NAMES: &[(&[u8], Coding)] = &[
            (b"gzip", Coding::Gzip),
            (b"x-gzip", Coding::Gzip),
            (b"deflate", Coding::Deflate),
            (b"zstd", Coding::Zstd),
            (b"br", Coding::Brotli),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, coding)| *coding)
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
