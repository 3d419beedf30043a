//! Plays a script on an upgraded connection, and listens to the client all the while.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::time::Instant;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_codec::{Config, ErrorKind, Limits, Message, Protocol, Role};

use super::exchange::{Exchange, Finale};
use super::script::WebSocketScript;
use crate::head::MAX_BODY;
use crate::inbound;
use crate::journal::Journal;
use crate::message::RecordedMessage;
use crate::player::HungUp;
use crate::script::{End, Step};
use crate::socket::Socket;

/// How much is asked of the socket at once.
const READ_SIZE: usize = 16 * 1024;

/// Speaks with the client, from behind the 101 to the end of the connection. `unread` is what the
/// client sent behind its handshake.
pub(crate) async fn converse(
    stream: &mut Socket,
    unread: BytesMut,
    script: &WebSocketScript,
    connection: usize,
    journal: &Journal,
) -> Result<End, HungUp> {
    let limits = Limits::new().max_message_bytes(MAX_BODY).max_frame_bytes(MAX_BODY);
    let conversation = Conversation {
        stream,
        protocol: Protocol::new(Role::Server, Config::new().limits(limits), Instant::now()),
        input: unread,
        output: BytesMut::new(),
        voice: Voice::On,
        unanswered: 0,
        pongs: 0,
        connection,
        journal,
    };
    conversation.hold(script).await
}

struct Conversation<'a> {
    stream: &'a mut Socket,
    /// Reads the client, and writes what answers it without the script: pongs and Closes.
    protocol: Protocol,
    input: BytesMut,
    output: BytesMut,
    voice: Voice,
    /// Messages of the client whose exchange was not begun.
    unanswered: usize,
    pongs: u64,
    connection: usize,
    journal: &'a Journal,
}

/// Whether the client is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    On,
    Off,
}

/// How the client ended the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Departure {
    /// FIN or RST.
    HungUp,
    /// Its Close frame came.
    Closed,
    /// It broke the protocol.
    Failed,
}

impl Conversation<'_> {
    async fn hold(mut self, script: &WebSocketScript) -> Result<End, HungUp> {
        let departure = match self.play(script).await {
            Ok(Finale::Reset) => return Ok(End::Reset),
            Ok(Finale::Fin) => return Ok(self.linger().await),
            Ok(Finale::Close(frame)) => {
                // Nothing may follow a Close (RFC 6455 §5.5.1), a pong neither.
                self.voice = Voice::Off;
                self.output.extend_from_slice(&frame);
                self.listen().await;
                return Ok(self.linger().await);
            }
            Ok(Finale::Silence) => {
                self.voice = Voice::Off;
                self.output.clear();
                while self.listen().await != Departure::HungUp {}
                Departure::HungUp
            }
            Err(departure) => departure,
        };
        match departure {
            Departure::HungUp => return Err(HungUp),
            // Before its Close is answered: who does not read the answer has left as well.
            Departure::Closed => self.journal.count_disconnect(),
            Departure::Failed => {}
        }
        Ok(self.linger().await)
    }

    /// Answers message by message, up to the end that the script or the client makes.
    async fn play(&mut self, script: &WebSocketScript) -> Result<Finale, Departure> {
        self.handle_input()?;
        let mut index = 0;
        loop {
            while self.unanswered == 0 {
                self.turn().await?;
            }
            self.unanswered -= 1;
            for step in script.answer_to(index).map(Exchange::steps).unwrap_or_default() {
                match step {
                    Step::Send(bytes) => {
                        self.output.extend_from_slice(bytes);
                        self.until(async {}).await?;
                    }
                    Step::Pause(pause) => self.until(tokio::time::sleep(*pause)).await?,
                    Step::Pass(gate) => self.until(gate.pass()).await?,
                    Step::End(finale) => return Ok(finale.clone()),
                }
            }
            index += 1;
        }
    }

    /// Waits until everything is written and `event` has come.
    async fn until<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Departure> {
        let mut event = pin!(event);
        loop {
            tokio::select! {
                // What the client has said comes first: it may be its Close.
                biased;
                turned = self.turn() => turned?,
                value = &mut event, if self.output.is_empty() => return Ok(value),
            }
        }
    }

    /// Waits until the client departs.
    async fn listen(&mut self) -> Departure {
        match self.until(pending::<Infallible>()).await {
            Ok(never) => match never {},
            Err(departure) => departure,
        }
    }

    /// One read or one write; nothing is lost when it is dropped.
    async fn turn(&mut self) -> Result<(), Departure> {
        self.input.reserve(READ_SIZE);
        let (mut reader, mut writer) = tokio::io::split(&mut *self.stream);
        tokio::select! {
            biased;
            read = reader.read_buf(&mut self.input) => match read {
                Ok(1..) => self.handle_input(),
                Ok(0) | Err(_) => Err(Departure::HungUp),
            },
            written = writer.write_buf(&mut self.output), if !self.output.is_empty() => {
                written.map(drop).map_err(|_| Departure::HungUp)
            }
        }
    }

    /// Records what the client said, and answers what needs no script.
    fn handle_input(&mut self) -> Result<(), Departure> {
        let now = Instant::now();
        self.protocol.handle_bytes(&self.input, now);
        self.input.clear();
        let mut departure = Ok(());
        while let Some(received) = self.protocol.poll_message(now) {
            match received {
                Ok(Message::Text(text)) => {
                    let text = text.as_str().to_owned();
                    self.journal.record_message(RecordedMessage { connection: self.connection, text });
                    self.unanswered += 1;
                }
                // Binary messages are refused by the protocol.
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Closed => departure = Err(Departure::Closed),
                Err(_) => departure = Err(Departure::Failed),
            }
        }
        self.count_pongs();
        self.take_answers(now);
        departure
    }

    fn count_pongs(&mut self) {
        let pongs = self.protocol.counters().pongs_received;
        if pongs > self.pongs {
            self.journal.count_pongs((pongs - self.pongs) as usize);
            self.pongs = pongs;
        }
    }

    fn take_answers(&mut self, now: Instant) {
        loop {
            let bytes = self.protocol.transmit();
            if bytes.is_empty() {
                return;
            }
            if self.voice == Voice::On {
                self.output.extend_from_slice(bytes);
            }
            let length = bytes.len();
            self.protocol.handle_transmitted(length, now);
        }
    }

    /// Writes what is left, ends our side, and reads on until the client ends its own: closing a
    /// socket with unread bytes resets it, and a reset can overtake what was written.
    async fn linger(mut self) -> End {
        let _ = self.stream.write_all_buf(&mut self.output).await;
        let _ = self.stream.shutdown().await;
        inbound::drain(self.stream).await;
        End::Close
    }
}
