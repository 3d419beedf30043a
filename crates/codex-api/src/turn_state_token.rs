//! The turn state as a value that leaves the process.

use std::{fmt, str::FromStr};

use turn_session::{Capture, TurnState};

use crate::Error;

/// The state of a turn, taken out of it on purpose: see [`Turn::export_state`](crate::Turn::export_state).
///
/// It is as secret as a credential: whoever sends it speaks for the turn to the service. So `Debug` does not show it,
/// there is no `Display`, and serialisers have to ask for the text by [`expose`](Self::expose). Read it back by
/// [`parse`](str::parse).
#[derive(Clone, PartialEq, Eq)]
pub struct TurnStateToken(Box<str>);

impl TurnStateToken {
    pub(crate) fn of(state: &TurnState) -> Option<Self> {
        state.get().map(|value| Self(value.into()))
    }

    /// A new turn's cell that holds it.
    pub(crate) fn into_state(self) -> TurnState {
        let state = TurnState::new();
        state.capture(self.0.as_bytes());
        state
    }

    /// The value itself, to be kept where secrets are kept.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for TurnStateToken {
    type Err = Error;

    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when the text cannot be a turn state: empty,
    /// longer than 8 KiB, or not visible ASCII. The message does not repeat it.
    fn from_str(text: &str) -> Result<Self, Error> {
        let state = TurnState::new();
        match (state.capture(text.as_bytes()), Self::of(&state)) {
            (Capture::First, Some(token)) => Ok(token),
            _ => Err(Error::config("a turn state is 1 to 8192 bytes of visible ASCII")),
        }
    }
}

impl fmt::Debug for TurnStateToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnStateToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_a_state_is_taken_and_nothing_shows_it() {
        let token: TurnStateToken = " ts-1 ".parse().unwrap();
        assert_eq!(token.expose(), "ts-1");
        assert_eq!(format!("{token:?}"), "TurnStateToken([redacted])");
        assert_eq!(token.clone().into_state().get(), Some("ts-1"));
        for wrong in ["", "two words", "line\nbreak", "ü", &"x".repeat(8193)] {
            let error = wrong.parse::<TurnStateToken>().unwrap_err();
            assert_eq!(error.to_string(), "a turn state is 1 to 8192 bytes of visible ASCII");
        }
    }
}
