//! Plays replies over connections in memory, and looks at what it is asked.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex},
};

use codex_api::{
    HttpVersions, Wire,
    connector::{self, Connector},
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex},
    time::sleep,
};

use crate::http2;
use crate::reply::{Event, Framing, Outcome, Reply, Says, State, Then};

type Stream = BufReader<DuplexStream>;

pub(crate) struct Service {
    wire: Wire,
    version: HttpVersions,
    turns: Mutex<HashMap<String, Turn>>,
}

#[derive(Default)]
struct Turn {
    planned: VecDeque<Reply>,
    /// What the service has told; the first value counts.
    state: Option<String>,
    asked: Vec<Asked>,
}

/// A request, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    #[expect(dead_code, reason = "for whoever reads of a failure")]
    reply: Reply,
    pub(crate) outcome: Outcome,
}

pub(crate) struct Head<'r> {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) state: Option<&'r str>,
}

struct Request {
    method: String,
    headers: HashMap<String, String>,
    body: String,
}

impl Service {
    pub(crate) fn new(wire: Wire, version: HttpVersions) -> Self {
        Self { wire, version, turns: Mutex::default() }
    }

    pub(crate) fn plan(&self, turn: &str, replies: Vec<Reply>) {
        let planned = Turn { planned: replies.into(), ..Turn::default() };
        self.turns.lock().unwrap().insert(turn.to_owned(), planned);
    }

    pub(crate) fn asked(&self, turn: &str) -> Vec<Asked> {
        self.turns.lock().unwrap()[turn].asked.clone()
    }

    pub(crate) fn connector(self: &Arc<Self>) -> impl Connector + use<> {
        let service = Arc::clone(self);
        connector::from_fn(move |_| {
            let (near, far) = duplex(64 * 1024);
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                match service.version {
                    HttpVersions::Http2 => http2::serve(service, far).await,
                    _ => service.serve(BufReader::new(far)).await,
                }
            });
            async move { Ok::<_, io::Error>(near) }
        })
    }

    async fn serve(&self, mut stream: Stream) -> io::Result<()> {
        while let Some(request) = Request::read(&mut stream).await? {
            let (turn, state) = (&request.headers["x-turn"], request.headers.get("x-codex-turn-state"));
            if request.method == "GET" {
                self.check_state(turn, state.map(String::as_str));
                return self.serve_socket(stream, &request).await;
            }
            assert!(request.body.contains(turn.as_str()));
            let reply = self.take(turn, state.map(String::as_str));
            self.tell_states(turn, &reply);
            if !self.answer(&mut stream, &reply).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the connection goes on.
    async fn answer(&self, stream: &mut Stream, reply: &Reply) -> io::Result<bool> {
        for _ in 0..reply.interim {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").await?;
        }
        match (&reply.says, reply.then) {
            (Says::Nothing, Then::Hold) => std::future::pending().await,
            (Says::Nothing, _) => return Ok(false),
            _ => {}
        }
        let (head, parts, behind) = self.answer_to(reply);
        let mut lines = format!("HTTP/1.1 {} As it is\r\ncontent-type: {}\r\n", head.status, head.content_type);
        if let Some(token) = head.state {
            lines.extend([format!("x-codex-turn-state: {token}\r\n")]);
        }
        let is_whole = reply.then == Then::End;
        let framing = match reply.framing {
            Framing::Chunked => "transfer-encoding: chunked\r\n\r\n".to_owned(),
            Framing::Close => "connection: close\r\n\r\n".to_owned(),
            Framing::Length => {
                let length = parts.iter().map(String::len).sum::<usize>() + behind.len() + usize::from(!is_whole);
                format!("content-length: {length}\r\n\r\n")
            }
        };
        lines += &framing;
        write(stream, reply, lines.as_bytes()).await?;
        let chunk = |part: &str| match reply.framing {
            Framing::Chunked => format!("{:x}\r\n{part}\r\n", part.len()),
            _ => part.to_owned(),
        };
        for part in parts {
            sleep(reply.pause).await;
            write(stream, reply, chunk(&part).as_bytes()).await?;
        }
        if !behind.is_empty() {
            stream.write_all(chunk(&behind).as_bytes()).await?;
        }
        match reply.then {
            Then::End if reply.framing == Framing::Chunked => stream.write_all(b"0\r\n\r\n").await?,
            Then::End | Then::Drop => {}
            Then::Hold | Then::Contradict => std::future::pending().await,
        }
        Ok(is_whole && reply.framing != Framing::Close)
    }

    /// What is sent of a reply that has a head: this, the parts of its body, and what is said behind its end.
    pub(crate) fn answer_to<'r>(&self, reply: &'r Reply) -> (Head<'r>, Vec<String>, String) {
        let (status, content_type, parts) = match reply.says {
            Says::Refusal(status, code) => (status, "application/json", vec![Reply::error_body(code).to_string()]),
            _ => (200, "text/event-stream", reply.stream(self.wire)),
        };
        let behind = match reply.then {
            Then::Contradict if reply.is_decisive() => reply.contradiction().stream(self.wire).concat(),
            _ => String::new(),
        };
        (Head { status, content_type, state: reply.state_in_head() }, parts, behind)
    }

    /// A handshake is granted, unless the service cannot; a state in the head of the next reply goes with it.
    async fn serve_socket(&self, mut stream: Stream, request: &Request) -> io::Result<()> {
        let turn = &request.headers["x-turn"];
        let next = self.turns.lock().unwrap()[turn].planned.front().cloned();
        if let Some(Reply { says: Says::Refusal(500.., _) | Says::Nothing, .. }) = next {
            let refusal = self.take(turn, request.headers.get("x-codex-turn-state").map(String::as_str));
            self.answer(&mut stream, &refusal).await?;
            return Ok(());
        }
        let token = match next.and_then(|reply| reply.state) {
            Some(State::Head(token)) => Some(token),
            _ => None,
        };
        stream.write_all(request.grant(token.as_deref()).as_bytes()).await?;
        if let Some(token) = token {
            self.tell(turn, &token);
        }
        while let Some(message) = read_message(&mut stream).await? {
            let message: serde_json::Value = serde_json::from_slice(&message).map_err(io::Error::other)?;
            let turn = message["input"].as_array().and_then(|items| items.last()).map(ToString::to_string);
            let turn = turn.and_then(|item| self.turn_in(&item)).expect("the turn's own words");
            let reply = self.take(&turn, message["client_metadata"]["x-codex-turn-state"].as_str());
            if let Some(token) = reply.state_event(self.wire) {
                self.tell(&turn, token);
            }
            if !self.answer_message(&mut stream, &reply).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn answer_message(&self, stream: &mut Stream, reply: &Reply) -> io::Result<bool> {
        let mut events = match reply.says {
            Says::Nothing if reply.then == Then::Hold => std::future::pending().await,
            Says::Nothing => return Ok(false),
            Says::Refusal(status, code) => {
                let error = &Reply::error_body(code)["error"];
                vec![Event::Data(json!({"type": "error", "status": status, "error": error}).to_string())]
            }
            _ => reply.events(self.wire),
        };
        // What comes later belongs to the next request, for all that a client can know.
        let mut last = events.pop().map(|event| event.frames(reply.piece)).unwrap_or_default();
        if reply.then == Then::Contradict && reply.is_decisive() {
            last.extend(reply.contradiction().events(self.wire).iter().flat_map(|event| event.frames(reply.piece)));
        }
        for event in events {
            sleep(reply.pause).await;
            write(stream, reply, &event.frames(reply.piece)).await?;
        }
        stream.write_all(&last).await?;
        match reply.then {
            // What was cut has nothing to go on with.
            Then::End => Ok(!matches!(reply.says, Says::Cut)),
            Then::Hold | Then::Contradict => std::future::pending().await,
            Then::Drop => Ok(false),
        }
    }

    fn turn_in(&self, text: &str) -> Option<String> {
        self.turns.lock().unwrap().keys().find(|turn| text.contains(turn.as_str())).cloned()
    }

    /// The next reply, to a request that carries this state.
    pub(crate) fn take(&self, turn: &str, state: Option<&str>) -> Reply {
        self.check_state(turn, state);
        let mut turns = self.turns.lock().unwrap();
        let turn = turns.get_mut(turn).expect("a turn that was planned");
        let reply = turn.planned.pop_front().unwrap_or_else(Reply::plain);
        turn.asked.push(Asked { reply: reply.clone(), outcome: reply.outcome() });
        reply
    }

    fn check_state(&self, turn: &str, state: Option<&str>) {
        assert_eq!(state, self.turns.lock().unwrap()[turn].state.as_deref(), "the state of {turn}");
    }

    /// Everything that a reply over HTTP tells, in its order.
    pub(crate) fn tell_states(&self, turn: &str, reply: &Reply) {
        for token in reply.state_in_head().into_iter().chain(reply.state_event(self.wire)) {
            self.tell(turn, token);
        }
    }

    fn tell(&self, turn: &str, token: &str) {
        let mut turns = self.turns.lock().unwrap();
        let turn = turns.get_mut(turn).expect("a turn that was planned");
        turn.state.get_or_insert_with(|| token.to_owned());
    }
}

impl Event {
    /// In fragments of that size.
    fn frames(&self, piece: usize) -> Vec<u8> {
        let Self::Data(data) = self else { return vec![0x89, 1, b'p'] };
        let size = piece.max(100);
        let count = data.len().div_ceil(size);
        let fragments = data.as_bytes().chunks(size).enumerate().map(|(number, fragment)| {
            let opcode = u8::from(number == 0);
            let fin = if number + 1 == count { 0x80 } else { 0 };
            let length = match u16::try_from(fragment.len()).unwrap() {
                short @ ..126 => vec![short as u8],
                long => [&[126], &long.to_be_bytes()[..]].concat(),
            };
            [&[fin | opcode][..], &length, fragment].concat()
        });
        fragments.collect::<Vec<_>>().concat()
    }
}

impl Request {
    /// `None` when the connection has ended.
    async fn read(stream: &mut Stream) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let method = line.split(' ').next().unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            match line.trim().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
                None => break,
            };
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        Ok(Some(Self { method, headers, body: String::from_utf8(body).unwrap() }))
    }

    /// The head that opens a WebSocket.
    fn grant(&self, state: Option<&str>) -> String {
        let own = self.headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let own: http::HeaderMap = own.collect();
        let handshake = ws_codec::ServerHandshake::verify(&http::Method::GET, http::Version::HTTP_11, &own).unwrap();
        let mut head = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
        for (name, value) in &handshake.headers() {
            head.extend([format!("{name}: {}\r\n", value.to_str().unwrap())]);
        }
        if let Some(token) = state {
            head.extend([format!("x-codex-turn-state: {token}\r\n")]);
        }
        head + "\r\n"
    }
}

/// The next text message of a client, in one frame; `None` when it is done.
async fn read_message(stream: &mut Stream) -> io::Result<Option<Vec<u8>>> {
    loop {
        let Ok(first) = stream.read_u8().await else { return Ok(None) };
        let length = match stream.read_u8().await? & 0x7f {
            126 => usize::from(stream.read_u16().await?),
            127 => usize::try_from(stream.read_u64().await?).unwrap(),
            length => usize::from(length),
        };
        let mut mask = [0; 4];
        stream.read_exact(&mut mask).await?;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        match first & 0x0f {
            0x1 => return Ok(Some(payload)),
            0x8 => return Ok(None),
            0x9 => stream.write_all(&[&[0x8a, payload.len() as u8], &payload[..]].concat()).await?,
            _ => {}
        }
    }
}

/// Writes in pieces, each of which may be read by itself.
async fn write(stream: &mut Stream, reply: &Reply, bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(reply.piece) {
        stream.write_all(piece).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
