//! The sticky cell that keeps a turn on the backend that started it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use response_events::TurnStateMark;

/// The name of the header (and of the key in a WebSocket request's `client_metadata`) that carries the turn state.
pub const TURN_STATE_HEADER: &str = "x-codex-turn-state";

/// Longest value that counts, in bytes.
const MAX_LEN: usize = 8 * 1024;

/// The turn state of one turn: empty until the service sends one, then fixed. Clones share the cell.
///
/// The value is opaque, and secret: neither `Debug` nor any error shows it.
#[derive(Clone, Default)]
pub struct TurnState(Arc<OnceLock<Box<str>>>);

/// What became of a value that the service sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capture {
    /// It is the turn's state from now on.
    First,
    /// The turn has its state; the first value wins.
    Ignored,
    /// It cannot be one: empty, longer than 8 KiB, or not visible ASCII.
    Malformed,
}

impl TurnState {
    /// An empty cell, for a new turn.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a value that the service sent. The first valid one wins; a malformed one is as good as none.
    pub fn capture(&self, value: &[u8]) -> Capture {
        let Some(value) = valid(value) else { return Capture::Malformed };
        match self.0.set(value.into()) {
            Ok(()) => Capture::First,
            Err(_) => Capture::Ignored,
        }
    }

    /// Stands for the value where it must not be shown.
    pub(crate) fn mark(&self) -> Option<TurnStateMark> {
        self.get().map(TurnStateMark::new)
    }

    /// The value to send with the turn's requests.
    pub fn get(&self) -> Option<&str> {
        self.0.get().map(AsRef::as_ref)
    }
}

/// Stands for a value that the service sent, if it can be a turn state.
pub(crate) fn mark(value: &[u8]) -> Option<TurnStateMark> {
    valid(value).map(TurnStateMark::new)
}

/// Header values are visible ASCII; spaces and tabs around them are not part of the value (RFC 9110, section 5.5).
fn valid(value: &[u8]) -> Option<&str> {
    let value = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    let visible = value.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    (visible && (1..=MAX_LEN).contains(&value.len())).then_some(value)
}

impl PartialEq for TurnState {
    /// Whether both are the same cell.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TurnState {}

impl fmt::Debug for TurnState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "TurnState([redacted])" } else { "TurnState(empty)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_valid_value_wins() {
        let state = TurnState::new();
        let too_long = vec![b'x'; MAX_LEN + 1];
        for malformed in [&b""[..], b" \t", b"a b", b"a\x01", b"\xff", "ü".as_bytes(), &too_long] {
            assert_eq!(state.capture(malformed), Capture::Malformed);
        }
        assert_eq!(state.get(), None);
        let clone = state.clone();
        assert_eq!(clone.capture(b" first "), Capture::First);
        assert_eq!(state.capture(b"second"), Capture::Ignored);
        assert_eq!(state.get(), Some("first"));
        assert_eq!(TurnState::new().capture(&too_long[1..]), Capture::First);
    }

    #[test]
    fn the_value_is_never_shown() {
        let state = TurnState::new();
        assert_eq!(format!("{state:?}"), "TurnState(empty)");
        state.capture(b"secret");
        assert_eq!(format!("{state:?}"), "TurnState([redacted])");
    }
}
