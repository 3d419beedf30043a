//! An answer as a list of steps.

use std::time::Duration;

use bytes::Bytes;

use crate::gate::Gate;

/// One thing that a player does. `E` is how its scripts can end.
#[derive(Debug, Clone)]
pub(crate) enum Step<E = End> {
    /// Write these bytes and flush them.
    Send(Bytes),
    /// Wait this long.
    Pause(Duration),
    /// Wait until the test lets one pass.
    Pass(Gate),
    /// The script is over.
    End(E),
}

/// What becomes of the connection after a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The next request may come.
    KeepAlive,
    /// FIN.
    Close,
    /// RST.
    Reset,
}
