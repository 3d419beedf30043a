use alloc::boxed::Box;
use core::ops::Range;

/// The longest event names of the Responses API have 44 bytes.
const SHORT: usize = 48;

/// An event name that is short in nearly every stream, so that owning it takes no allocation.
///
/// No enum of the two cases: with an array at an odd place each move of an event costs more than a small copy should.
#[derive(Clone)]
pub(crate) struct Name {
    /// What stands behind the first `len` bytes means nothing.
    short: [u8; SHORT],
    len: usize,
    /// A name that is too long for `short`.
    long: Option<Box<[u8]>>,
}

impl Name {
    pub(crate) const EMPTY: Self = Self { short: [0; SHORT], len: 0, long: None };

    pub(crate) fn new(name: &[u8]) -> Self {
        let mut own = Self::EMPTY;
        match own.short.get_mut(..name.len()) {
            Some(short) => {
                short.copy_from_slice(name);
                own.len = name.len();
            }
            None => own.long = Some(name.into()),
        }
        own
    }

    /// The name at `span` of `input`. Copies as many bytes as there is room for, because a copy of a fixed length
    /// takes a few instructions and one of any length a call.
    #[inline]
    pub(crate) fn at(input: &[u8], span: Range<usize>) -> Self {
        match input[span.start..].first_chunk() {
            Some(&short) if span.len() <= SHORT => Self { short, len: span.len(), long: None },
            _ => Self::new(&input[span]),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.long.as_deref().unwrap_or(&self.short[..self.len])
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}
