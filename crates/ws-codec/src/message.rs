use std::fmt;

use bytes::Bytes;

/// A whole message: of one frame, or put together from its fragments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Text, checked to be UTF-8.
    Text(Text),
    /// Bytes. Received only with [`Binary::Accept`](crate::Binary::Accept).
    Binary(Bytes),
}

/// UTF-8 text in shared [`Bytes`]: cheap to clone.
///
/// A received text of one frame is a slice of the read buffer, which it keeps in memory: copy what is to be kept
/// for long.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Text(Bytes);

impl Message {
    /// The payload.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The payload, without copying it.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl Text {
    /// The text as bytes. What a JSON parser reads.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as a string. It runs the UTF-8 check once more (this crate has no `unsafe`), so take
    /// [`as_bytes`](Self::as_bytes) where bytes will do.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The text as bytes, without copying them.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// For bytes that were checked.
    pub(crate) fn of(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

/// Checks the bytes, and copies nothing.
impl TryFrom<Bytes> for Text {
    type Error = std::str::Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }
}

impl<T: Into<Text>> From<T> for Message {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}
