use alloc::boxed::Box;
use core::ops::Range;

use crate::text;

/// The longest event names of the Responses API have 44 bytes.
const INLINE: usize = 46;

/// An event name that is short in nearly every stream, so that owning it takes no allocation.
#[derive(Clone)]
pub(crate) enum Name {
    /// What stands behind the first `len` bytes means nothing.
    Inline {
        len: u8,
        bytes: [u8; INLINE],
    },
    Heap(Box<[u8]>),
}

impl Name {
    pub(crate) const EMPTY: Self = Self::Inline { len: 0, bytes: [0; INLINE] };

    pub(crate) fn new(name: &[u8]) -> Self {
        if name.len() > INLINE {
            return Self::Heap(name.into());
        }
        let mut bytes = [0; INLINE];
        bytes[..name.len()].copy_from_slice(name);
        Self::Inline { len: name.len() as u8, bytes }
    }

    /// The name at `span` of `input`. Copies as many bytes as there is room for, because a copy of a fixed length
    /// takes a few instructions and one of any length a call.
    #[inline]
    pub(crate) fn at(input: &[u8], span: Range<usize>) -> Self {
        match input[span.start..].first_chunk() {
            Some(&bytes) if span.len() <= INLINE => Self::Inline { len: span.len() as u8, bytes },
            _ => Self::new(&input[span]),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Self::Heap(bytes) => bytes,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}

impl core::fmt::Debug for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        text::lossy(self.as_bytes()).fmt(f)
    }
}
