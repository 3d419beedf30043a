//! The limits. Each line falls under exactly one of them, so that the outcome is the same for every chunking.

use super::{Block, Scanner};
use crate::{error::DecodeError, field::Field, limits::Overflow};

/// What becomes of a line that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admit {
    Take,
    /// Its block is skipped.
    Drop,
}

impl Scanner {
    /// Checks a line of `line_len` bytes so far, the last `value_len` of them its value. `joined` are the bytes of
    /// data before it in the same event, line feeds included.
    #[inline]
    pub(super) fn admit(
        &mut self,
        field: Field,
        line_len: usize,
        value_len: usize,
        joined: usize,
    ) -> Result<Admit, DecodeError> {
        let (len, limit) = match field {
            Field::Data => (joined.saturating_add(value_len).saturating_add(1), self.limits.event),
            Field::Event | Field::Id | Field::Retry | Field::Comment => (value_len, self.limits.field),
            Field::Unknown => (line_len, self.limits.line),
        };
        if len <= limit {
            return Ok(Admit::Take);
        }
        self.overflow(field, limit)
    }

    #[cold]
    fn overflow(&mut self, field: Field, limit: usize) -> Result<Admit, DecodeError> {
        if self.limits.overflow == Overflow::SkipEvent {
            self.drop_block();
            self.block = Block::Skipped;
            return Ok(Admit::Drop);
        }
        Err(match field {
            Field::Data => DecodeError::EventTooLarge { limit },
            Field::Event | Field::Id | Field::Retry | Field::Comment => DecodeError::FieldTooLarge { limit },
            Field::Unknown => DecodeError::LineTooLarge { limit },
        })
    }
}
