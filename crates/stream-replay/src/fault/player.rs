//! Does what a script says.

use std::future::Future;
use std::io;
use std::pin::pin;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use super::h2::{Broken, Http2Step, Peer, State};
use super::section::{FaultStep, Read, Section};
use crate::connection::Shared;
use crate::inbound::{self, Inbound, NoRequest};
use crate::player::{HungUp, play};
use crate::request::RecordedRequest;
use crate::script::{End, Step};
use crate::socket::Socket;

/// Does the steps of a section on connection number `connection`, until they end or the client hangs up.
pub(crate) async fn play_fault(
    stream: &mut Socket,
    inbound: &mut Inbound,
    section: &Section,
    connection: usize,
    shared: &Shared,
) -> Result<End, NoRequest> {
    let mut player = Player { stream, inbound, connection, shared, http2: None };
    let mut end = End::Close;
    for step in section.course() {
        match step {
            FaultStep::Do(Step::End(told)) => end = *told,
            step => match player.play(step).await {
                Ok(()) => {}
                Err(Stop::Broken(broken)) => {
                    player.say_farewell(broken).await;
                    break;
                }
                Err(Stop::NoRequest(why)) => return Err(why),
            },
        }
    }
    if end == End::Close {
        stream.fin().await?;
        // Unread bytes would turn the FIN into an RST.
        inbound::drain(stream.tcp()).await;
    }
    Ok(end)
}

struct Player<'a> {
    stream: &'a mut Socket,
    inbound: &'a mut Inbound,
    connection: usize,
    shared: &'a Shared,
    /// The client, once it speaks HTTP/2.
    http2: Option<Peer>,
}

/// Why a script stops before its end.
enum Stop {
    NoRequest(NoRequest),
    /// The client speaks no HTTP/2 that could be understood.
    Broken(Broken),
}

impl From<NoRequest> for Stop {
    fn from(why: NoRequest) -> Self {
        Self::NoRequest(why)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::NoRequest(error.into())
    }
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Player<'_> {
    async fn play(&mut self, step: &FaultStep) -> Result<(), Stop> {
        match step {
            FaultStep::Read(read) => self.read(*read).await?,
            FaultStep::SendBelow(bytes) => self.stream.tcp().write_all(bytes).await?,
            FaultStep::Http2(step) => self.play_http2(step).await?,
            #[cfg(feature = "tls")]
            FaultStep::Tls(step) => step.play(self.stream, self.inbound, self.shared.authority.as_ref()).await?,
            FaultStep::Do(Step::Pause(pause)) if self.http2.is_some() => self.until(tokio::time::sleep(*pause)).await?,
            FaultStep::Do(Step::Pass(gate)) if self.http2.is_some() => self.until(gate.pass()).await?,
            FaultStep::Do(step) => {
                let steps = [step.clone(), Step::End(End::KeepAlive)].into_iter();
                play(self.stream, self.inbound, steps).await.map_err(|HungUp| NoRequest::HungUp)?;
            }
            // A course has none.
            FaultStep::Repeat { .. } => {}
        }
        Ok(())
    }

    async fn read(&mut self, read: Read) -> Result<(), Stop> {
        let request = match read {
            Read::Head if self.http2.is_some() => self.until_peer(|peer| peer.take_request(State::Head)).await?,
            Read::Request if self.http2.is_some() => self.until_peer(|peer| peer.take_request(State::Whole)).await?,
            Read::Head => {
                let head = self.inbound.head(self.stream).await?;
                RecordedRequest::new(self.connection, head, Bytes::new())
            }
            Read::Request => {
                let (head, body) = self.inbound.request(self.stream).await?;
                RecordedRequest::new(self.connection, head, body)
            }
            Read::Bytes(length) => return Ok(self.inbound.skip(self.stream, length).await?),
            Read::TlsRecord => return Ok(self.inbound.skip_tls_record(self.stream).await?),
        };
        self.shared.journal.record(request);
        Ok(())
    }

    async fn play_http2(&mut self, step: &Http2Step) -> Result<(), Stop> {
        match (step, &mut self.http2) {
            (Http2Step::Preface, _) => {
                while !Peer::take_preface(self.inbound.unread())? {
                    self.inbound.fill(self.stream).await?;
                }
                self.http2 = Some(Peer::new(self.connection));
            }
            (Http2Step::IgnorePings, Some(peer)) => peer.ignore_pings(),
            (Http2Step::Read(frame_type), Some(_)) => {
                self.until_peer(|peer| peer.take_seen(*frame_type).then_some(())).await?;
            }
            (Http2Step::Send(frame), peer) => {
                let frame = peer.as_ref().map_or_else(|| frame.encode(0, 0), |peer| peer.encode(frame));
                let steps = [Step::Send(frame), Step::End(End::KeepAlive)].into_iter();
                play(self.stream, self.inbound, steps).await.map_err(|HungUp| NoRequest::HungUp)?;
            }
            // Scripts that say so are not read.
            (Http2Step::IgnorePings | Http2Step::Read(_), None) => {}
        }
        Ok(())
    }

    /// Waits for `event`, and answers the client meanwhile.
    async fn until<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Stop> {
        let mut event = pin!(event);
        loop {
            self.answer().await?;
            tokio::select! {
                biased;
                value = &mut event => return Ok(value),
                filled = self.inbound.fill(self.stream) => filled?,
            }
        }
    }

    /// Waits until the client has done something.
    async fn until_peer<T>(&mut self, mut done: impl FnMut(&mut Peer) -> Option<T>) -> Result<T, Stop> {
        loop {
            self.answer().await?;
            if let Some(value) = self.http2.as_mut().and_then(&mut done) {
                return Ok(value);
            }
            self.inbound.fill(self.stream).await?;
        }
    }

    /// Takes what has arrived, and sends what it is answered with.
    async fn answer(&mut self) -> Result<(), Stop> {
        if let Some(peer) = &mut self.http2 {
            peer.handle_input(self.inbound.unread())?;
            self.stream.write_all_buf(&mut peer.output).await?;
            self.stream.flush().await?;
        }
        Ok(())
    }

    /// Tells the client why it is left, if it still listens.
    async fn say_farewell(&mut self, broken: Broken) {
        let peer = self.http2.take().unwrap_or_else(|| Peer::new(self.connection));
        let _ = self.stream.write_all(&peer.farewell(broken)).await;
        let _ = self.stream.flush().await;
    }
}
