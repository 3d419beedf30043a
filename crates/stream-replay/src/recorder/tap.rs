//! What both sides of a WebSocket say, written on the tape.

use bytes::Bytes;
use ws_codec::{CloseCode, Limits, Message, Overheard, Sender, Tap};

use super::tape::Tape;
use crate::cassette::{FrameKind, Peer};
use crate::head::MAX_BODY;

/// A listener for each direction.
pub(super) struct Taps<'a> {
    client: Tap,
    server: Tap,
    client_closed: bool,
    server_closed: bool,
    /// Why the server is not understood any more.
    broken: Option<ws_codec::Error>,
    tape: &'a mut Tape,
}

impl<'a> Taps<'a> {
    pub(super) fn new(tape: &'a mut Tape) -> Self {
        let limits = Limits::new().max_message_bytes(MAX_BODY).max_frame_bytes(MAX_BODY);
        let (client, server) = (Tap::new(Sender::Client, limits), Tap::new(Sender::Server, limits));
        Self { client, server, client_closed: false, server_closed: false, broken: None, tape }
    }

    pub(super) fn hear(&mut self, from: Peer, bytes: &[u8]) {
        let (tap, closed) = match from {
            Peer::Client => (&mut self.client, &mut self.client_closed),
            Peer::Server => (&mut self.server, &mut self.server_closed),
        };
        tap.handle_bytes(bytes);
        while let Some(heard) = tap.poll() {
            let overheard = match heard {
                Ok(overheard) => overheard,
                // Whoever breaks the protocol is not understood any more; the bytes go on all the same.
                Err(error) => {
                    if from == Peer::Server {
                        self.broken = Some(error.into());
                    }
                    return;
                }
            };
            *closed |= matches!(overheard, Overheard::Close(_));
            let (kind, payload) = match overheard {
                Overheard::Message(Message::Text(text)) => (FrameKind::Text, text.into_bytes()),
                // Whoever plays it again says the same.
                Overheard::InvalidText(bytes) => (FrameKind::Text, bytes),
                Overheard::Message(Message::Binary(bytes)) => (FrameKind::Binary, bytes),
                Overheard::Ping(payload) => (FrameKind::Ping, payload),
                Overheard::Pong(payload) => (FrameKind::Pong, payload),
                Overheard::Close(frame) => {
                    let code = frame.code();
                    // That there was none is said by a code that is never sent (RFC 6455 §7.4.1).
                    let code =
                        if code == CloseCode::NO_STATUS { Vec::new() } else { code.as_u16().to_be_bytes().to_vec() };
                    (FrameKind::Close, Bytes::from([&code[..], frame.reason().as_bytes()].concat()))
                }
                _ => continue,
            };
            self.tape.frame(from, kind, payload);
        }
    }

    /// Why what the server said is not all on the tape, if it is not.
    pub(super) fn take_broken(&mut self) -> Option<ws_codec::Error> {
        self.broken.take()
    }

    /// Whether the closing handshake was made (RFC 6455 §7.1.4).
    pub(super) fn both_closed(&self) -> bool {
        self.client_closed && self.server_closed
    }
}
