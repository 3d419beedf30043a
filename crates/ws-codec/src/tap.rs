//! One direction of a connection, listened to.

use bytes::Bytes;

use crate::decoder::{Decoded, Decoder};
use crate::{Binary, CloseFrame, Config, Counters, ErrorKind, Limits, MaskSeed, Message, Role};

/// Listens to one direction of a connection that others speak on, without ever saying a word: for proxies, recorders
/// and inspectors. A connection needs two.
#[derive(Debug)]
pub struct Tap {
    decoder: Decoder,
    counters: Counters,
    failed: bool,
}

/// Who sends in the direction that is listened to: clients mask their frames, servers do not (RFC 6455 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The end that dialed.
    Client,
    /// The end that was dialed.
    Server,
}

/// What was said in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overheard {
    /// A message, put together from its fragments.
    Message(Message),
    /// A text message that is not UTF-8, whole. Its receiver ends the connection (RFC 6455 §8.1).
    InvalidText(Bytes),
    /// A ping with its payload.
    Ping(Bytes),
    /// A pong with its payload.
    Pong(Bytes),
    /// A Close.
    Close(CloseFrame),
}

impl Tap {
    /// From the first byte behind the handshake. Binary messages are taken as well as text; larger messages than the
    /// limits allow are an error, as any breach of the protocol is but text that is not UTF-8.
    pub fn new(sender: Sender, limits: Limits) -> Self {
        let reader = match sender {
            Sender::Client => Role::Server,
            // Nothing is ever masked with it.
            Sender::Server => Role::Client(MaskSeed::new([0; 32])),
        };
        let config = Config::new().limits(limits).binary(Binary::Accept);
        Self { decoder: Decoder::new(&reader, &config).taking_any_text(), counters: Counters::default(), failed: false }
    }

    /// Bytes were seen. After an error they are passed over.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if !self.failed {
            self.decoder.extend(bytes);
        }
    }

    /// The next of what was said; `None` if more bytes are needed. An error is told once, and the last that is heard.
    pub fn poll(&mut self) -> Option<Result<Overheard, ErrorKind>> {
        if self.failed {
            return None;
        }
        match self.decoder.decode(&mut self.counters) {
            Ok(None) => None,
            Ok(Some(decoded)) => Some(Ok(match decoded {
                Decoded::Message(message) => Overheard::Message(message),
                Decoded::InvalidText(payload) => Overheard::InvalidText(payload),
                Decoded::Ping(payload) => Overheard::Ping(payload),
                Decoded::Pong(payload) => Overheard::Pong(payload),
                Decoded::Close(frame) => Overheard::Close(frame),
            })),
            Err(error) => {
                self.failed = true;
                self.decoder.discard();
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is heard when the bytes come in pieces of any size.
    #[track_caller]
    fn check(sender: Sender, bytes: &[u8], expected: &[&str]) {
        for size in 1..=bytes.len() {
            let mut tap = Tap::new(sender, Limits::new());
            let mut heard = Vec::new();
            for piece in bytes.chunks(size) {
                tap.handle_bytes(piece);
                while let Some(overheard) = tap.poll() {
                    heard.push(match overheard {
                        Ok(Overheard::Message(Message::Text(text))) => format!("text {}", text.as_str()),
                        Ok(Overheard::Message(Message::Binary(bytes))) => format!("binary {bytes:?}"),
                        Ok(Overheard::InvalidText(bytes)) => format!("invalid text {bytes:?}"),
                        Ok(Overheard::Ping(payload)) => format!("ping {payload:?}"),
                        Ok(Overheard::Pong(payload)) => format!("pong {payload:?}"),
                        Ok(Overheard::Close(frame)) => format!("close {} {}", frame.code().as_u16(), frame.reason()),
                        Err(error) => format!("{error:?}"),
                    });
                }
            }
            assert_eq!(heard, expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_server_is_heard() {
        let bytes = b"\x01\x01h\x89\x01?\x80\x01i\x82\x01\xff\x8a\x00\x88\x05\x03\xe8bye";
        check(Sender::Server, bytes, &["ping b\"?\"", "text hi", "binary b\"\\xff\"", "pong b\"\"", "close 1000 bye"]);
    }

    #[test]
    fn a_client_is_heard_unmasked() {
        check(Sender::Client, b"\x81\x82\x01\x02\x03\x04ik", &["text hi"]);
    }

    #[test]
    fn an_error_is_told_once_and_ends_it() {
        check(Sender::Client, b"\x81\x02hi\x81\x82\x01\x02\x03\x04ik", &["Protocol(Unmasked)"]);
        check(Sender::Server, b"\x01\x01\xff\x80\x01\xfe\x81\x01i", &["invalid text b\"\\xff\\xfe\"", "text i"]);
        check(Sender::Server, b"\x81\x02hi\x83\x00\x81\x02hi", &["text hi", "Protocol(ReservedOpcode(3))"]);
    }
}
