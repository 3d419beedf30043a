//! One client connection: requests in, the service's answers out.

use bytes::Bytes;
use http_transport::{Exchange, Head as Answer, with_causes};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::Proxy;
use super::relay;
use super::tape::Tape;
use super::upstream::Switch;
use crate::cassette::{Course, RecordedEnd};
use crate::chunked::{self, LAST_CHUNK};
use crate::connection::refuse;
use crate::head::{Head, Persistence};
use crate::inbound::{Inbound, NoRequest};
use crate::player::{HungUp, play};
use crate::response::{AnswerHead, Response};
use crate::script::End;
use crate::socket::Socket;
use crate::websocket::handshake;

/// Serves one connection until either side ends it.
pub(super) async fn serve(mut stream: Socket, proxy: &Proxy) {
    match serve_all(&mut stream, proxy).await {
        Ok(End::Reset) => stream.reset(),
        Ok(End::Close | End::KeepAlive) => {
            let _ = stream.shutdown().await;
        }
        Err(HungUp) => {}
    }
}

async fn serve_all(stream: &mut Socket, proxy: &Proxy) -> Result<End, HungUp> {
    let mut inbound = Inbound::default();
    loop {
        let (head, body) = match inbound.request(stream).await {
            Ok(request) => request,
            Err(NoRequest::HungUp) => return Err(HungUp),
            Err(NoRequest::Refused(refusal)) => return refuse(stream, refusal).await,
        };
        let switch = if handshake::verify(&head).is_ok() { Switch::WebSocket } else { Switch::No };
        let mut tape = Tape::new(&proxy.shelf, &head, &body);
        let exchange = match ask(stream, &mut inbound, proxy, (&head, body, switch), &mut tape).await {
            Ok(answered) => answered,
            Err(Unanswered::HungUp) => {
                tape.end(RecordedEnd::HangUp);
                return Err(HungUp);
            }
            Err(Unanswered::Failed(why)) => {
                let refusal = Response::text(502, format!("codex-stream record: {why}\n"));
                tape.end(RecordedEnd::Failed(why));
                match play(stream, &mut inbound, refusal.steps(head.persistence)).await? {
                    End::KeepAlive => continue,
                    end => return Ok(end),
                }
            }
        };
        let (exchange, answer) = exchange;
        if answer.status.as_u16() == 101 {
            return relay::websocket(stream, inbound.into_unread(), exchange, &answer, &mut tape).await;
        }
        match relay_body(stream, &mut inbound, exchange, &answer, head.persistence, &mut tape).await? {
            End::KeepAlive => {}
            end => return Ok(end),
        }
    }
}

/// Why there is no answer of the service.
enum Unanswered {
    HungUp,
    /// One sentence.
    Failed(String),
}

/// Sends the request on and waits for the head of the answer, or until the client leaves.
async fn ask(
    stream: &mut Socket,
    inbound: &mut Inbound,
    proxy: &Proxy,
    (head, body, switch): (&Head, Bytes, Switch),
    tape: &mut Tape,
) -> Result<(Exchange, Answer), Unanswered> {
    let Some(request) = proxy.upstream.request(head, body, switch) else {
        return Err(Unanswered::Failed("the request's method or target cannot be sent on".to_owned()));
    };
    let mut exchange = proxy.transport.open(request);
    let answer = tokio::select! {
        biased;
        answer = exchange.head() => answer,
        () = inbound.hung_up(&mut *stream) => return Err(Unanswered::HungUp),
    };
    match answer {
        Ok(answer) => {
            let status = answer.status.as_u16();
            let course = if status == 101 { Course::WebSocket(Vec::new()) } else { Course::Body(Vec::new()) };
            tape.head(status, &answer.headers, course);
            Ok((exchange, answer))
        }
        Err(error) => Err(Unanswered::Failed(with_causes(&error))),
    }
}

/// How the client is told where the body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Chunked,
    /// As the service said, or there is no body.
    AsIs,
}

async fn relay_body(
    stream: &mut Socket,
    inbound: &mut Inbound,
    exchange: Exchange,
    answer: &Answer,
    asked: Persistence,
    tape: &mut Tape,
) -> Result<End, HungUp> {
    let (reader, writer) = tokio::io::split(stream);
    let passed = tokio::select! {
        biased;
        passed = pass_body(writer, exchange, answer, asked, tape) => passed,
        () = inbound.hung_up(reader) => Err(HungUp),
    };
    if passed.is_err() {
        tape.end(RecordedEnd::HangUp);
    }
    passed
}

async fn pass_body(
    mut writer: impl AsyncWrite + Unpin,
    mut exchange: Exchange,
    answer: &Answer,
    asked: Persistence,
    tape: &mut Tape,
) -> Result<End, HungUp> {
    let has_body = !matches!(answer.status.as_u16(), 100..=199 | 204 | 304);
    let framing = if has_body && !answer.headers.contains_key(http::header::CONTENT_LENGTH) {
        Framing::Chunked
    } else {
        Framing::AsIs
    };
    send(&mut writer, &head(answer, framing, asked)).await?;
    loop {
        match exchange.data().await {
            Some(Ok(data)) if data.is_empty() => {}
            Some(Ok(data)) => {
                tape.chunk(&data);
                match framing {
                    Framing::Chunked => send(&mut writer, &chunked::chunk(&data, data.len())).await?,
                    Framing::AsIs => send(&mut writer, &data).await?,
                }
            }
            None => {
                // Before the client sees the end: it may look for the cassette then.
                tape.end(RecordedEnd::Finish);
                if framing == Framing::Chunked {
                    send(&mut writer, &LAST_CHUNK).await?;
                }
                return Ok(if asked == Persistence::Close { End::Close } else { End::KeepAlive });
            }
            Some(Err(error)) => {
                let (end, cut) = relay::end_of(&error);
                tape.end(end);
                return Ok(cut);
            }
        }
    }
}

fn head(answer: &Answer, framing: Framing, asked: Persistence) -> Bytes {
    let mut head = AnswerHead::new(answer.status.as_u16());
    for (name, value) in &answer.headers {
        if !matches!(name.as_str(), "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade")
        {
            head.line(name.as_str(), value.as_bytes());
        }
    }
    if framing == Framing::Chunked {
        head.line("transfer-encoding", b"chunked");
    }
    if asked == Persistence::Close {
        head.line("connection", b"close");
    }
    head.end()
}

pub(super) async fn send(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), HungUp> {
    writer.write_all(bytes).await.map_err(|_| HungUp)?;
    writer.flush().await.map_err(|_| HungUp)
}
