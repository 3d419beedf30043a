//! What passes through the recorder, what is written of it, and what is played again.
#![cfg(feature = "recorder")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use stream_replay::{
    Bodies, Cassette, Content, Cut, Exchange, FrameKind, Gate, Peer, RecordedEnd, RecordedExchange, Recorder,
    RecorderBuilder, ReplayServer, Response, Speed, WebSocketScript,
};
use support::websocket::{CLOSE, HANDSHAKE, PING, PONG, SWITCHED, TEXT, close_payload, frame, masked, texts};
use support::{Client, Ended, LAST_CHUNK, POST, SSE_HEAD, expect_disconnects, server, soon};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const EVENTS: [&str; 2] = ["data: {\"n\":1}\n\nda", "ta: {\"n\":2}\n\n"];

/// A recorder in front of a server, with a clock that stands still until it is set.
struct Proxied {
    upstream: ReplayServer,
    recorder: Recorder,
    folder: TempDir,
    clock: Arc<AtomicU64>,
}

impl Proxied {
    async fn new(responses: impl IntoIterator<Item = Response>) -> Self {
        Self::with(responses, |recorder| recorder).await
    }

    async fn with(
        responses: impl IntoIterator<Item = Response>,
        configure: impl FnOnce(RecorderBuilder) -> RecorderBuilder,
    ) -> Self {
        let upstream = server(responses).await;
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(0));
        let now = Arc::clone(&clock);
        let recorder = Recorder::builder(upstream.base_url())
            .folder(folder.path())
            .clock(move || Duration::from_millis(now.load(Ordering::SeqCst)));
        let recorder = configure(recorder).start().await.unwrap();
        Self { upstream, recorder, folder, clock }
    }

    fn set_clock(&self, millis: u64) {
        self.clock.store(millis, Ordering::SeqCst);
    }

    async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.recorder.addr()).await.unwrap() }
    }

    async fn post(&self) -> Client {
        let mut client = self.connect().await;
        client.send(POST).await;
        client
    }

    fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// The exchange of the N-th cassette (from 1), once it is written.
    async fn exchange(&self, n: usize) -> RecordedExchange {
        soon(self.recorder.wait_for_cassettes(n)).await;
        let cassette = Cassette::load(&self.paths()[n - 1]).unwrap();
        let [exchange] = cassette.exchanges() else { panic!("{cassette:?}") };
        exchange.clone()
    }
}

fn pieces(exchange: &RecordedExchange) -> Vec<(u64, &str)> {
    let piece = |at: Duration, bytes| (at.as_millis() as u64, std::str::from_utf8(bytes).unwrap());
    exchange.chunks().iter().map(|chunk| piece(chunk.at, &chunk.bytes)).collect()
}

fn millis(at: Duration) -> u64 {
    at.as_millis() as u64
}

#[tokio::test]
async fn a_stream_is_passed_on_and_recorded_with_its_borders_and_times() {
    let gate = Gate::new();
    let proxied = Proxied::new([Response::sse("").chunks(EVENTS.map(Bytes::from)).gate(gate.clone())]).await;
    proxied.set_clock(1_000);
    let mut client = proxied.post().await;
    client.expect(SSE_HEAD).await;
    for (index, event) in EVENTS.iter().enumerate() {
        proxied.set_clock(1_200 + 100 * index as u64);
        gate.release();
        client.expect(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await;
    }
    client.expect(LAST_CHUNK).await;

    let exchange = proxied.exchange(1).await;
    assert_eq!(pieces(&exchange), [(200, EVENTS[0]), (300, EVENTS[1])]);
    assert_eq!((exchange.end.clone(), millis(exchange.end_at)), (RecordedEnd::Finish, 300));
    assert_eq!((exchange.method.as_str(), exchange.target.as_str()), ("POST", "/v1/responses"));
    assert!(matches!(exchange.request_body, Content::Withheld { length: 2, .. }), "{exchange:?}");
    assert_eq!(exchange.response.as_ref().map(|response| response.status), Some(200));
    assert_eq!(proxied.upstream.requests()[0].body, "{}");

    // The replay has the same borders.
    let replay = server([Response::recorded(&exchange, Speed::Max)]).await;
    let mut client = Client::post(&replay).await;
    client.expect(SSE_HEAD).await;
    for event in EVENTS {
        client.expect(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await;
    }
    client.expect(LAST_CHUNK).await;
}

#[tokio::test]
async fn requests_become_cassettes_in_their_order_and_play_a_turn_again() {
    let refusal = Response::json(429, r#"{"error":{"message":"slow down"}}"#).header("retry-after", "1");
    let proxied = Proxied::new([refusal, Response::sse("data: 1\n\n")]).await;
    let mut client = proxied.post().await;
    client.expect(b"HTTP/1.1 429 Too Many Requests\r\n").await;
    proxied.exchange(1).await;
    drop(client);
    let mut client = proxied.post().await;
    client.expect(&[SSE_HEAD, b"9\r\ndata: 1\n\n\r\n", LAST_CHUNK].concat()).await;
    proxied.exchange(2).await;
    let names: Vec<_> = proxied.paths().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["0001-responses.cassette", "0002-responses.cassette"]);

    let replay = proxied
        .paths()
        .iter()
        .fold(ReplayServer::builder(), |builder, path| builder.cassette(&Cassette::load(path).unwrap(), Speed::Max));
    let replay = replay.start().await.unwrap();
    let mut client = Client::post(&replay).await;
    let body = r#"{"error":{"message":"slow down"}}"#;
    let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-type: application/json\r\n";
    client.expect(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    client.send(POST).await;
    client.expect(&[SSE_HEAD, b"9\r\ndata: 1\n\n\r\n", LAST_CHUNK].concat()).await;

    // A recorder that starts again overwrites nothing.
    let url = proxied.upstream.base_url();
    let again = Recorder::builder(url).folder(proxied.folder.path()).start().await.unwrap();
    let mut client = Client { stream: TcpStream::connect(again.addr()).await.unwrap() };
    client.send(POST).await;
    client.expect(SSE_HEAD).await;
    soon(again.wait_for_cassettes(1)).await;
    assert!(proxied.folder.path().join("0003-responses.cassette").exists());
}

#[tokio::test]
async fn no_secret_reaches_the_file() {
    const SECRETS: [&str; 7] = [
        "sk-key-in-header",
        "cookie-of-client",
        "key-in-query",
        "state-in-head",
        "state-in-band",
        "set-cookie-value",
        "key-in-location",
    ];
    let said = "data: {\"type\":\"response.metadata\",\"headers\":{\"x-codex-turn-state\":\"state-in-band\"}}\n\n\
                data: {\"error\":\"wrong key sk-key-in-header, state-in-band\"}\n\n";
    let response = || {
        Response::sse(said)
            .chunk_bytes(5)
            .header("x-codex-turn-state", "state-in-head")
            .header("set-cookie", "sid=set-cookie-value; HttpOnly")
            .header("location", "https://host/next?key=key-in-location")
    };
    for bodies in [Bodies::Withhold, Bodies::Keep] {
        let greeting = Exchange::new().text(r#"{"headers":{"x-codex-turn-state":["state-in-band"]}}"#);
        let script = Response::websocket(WebSocketScript::new().exchange(greeting))
            .header("x-codex-turn-state", "state-in-head");
        let proxied = Proxied::with([response(), script], |recorder| recorder.bodies(bodies)).await;
        let mut client = proxied.connect().await;
        let body = r#"{"client_metadata":{"x-codex-turn-state":"state-in-head"},"input":"hello"}"#;
        let head = "POST /v1/responses?api-key=key-in-query&a=b HTTP/1.1\r\nauthorization: Bearer sk-key-in-header\r\n\
                    cookie: sid=cookie-of-client\r\nx-codex-turn-state: state-in-head\r\n";
        client.send(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        let exchange = proxied.exchange(1).await;
        // What passes is not changed.
        assert_eq!(proxied.upstream.requests()[0].header("authorization"), Some("Bearer sk-key-in-header"));
        assert_eq!(exchange.target, "/v1/responses?api-key=[redacted]&a=b");
        assert_eq!(exchange.request_body.bytes().is_some(), bodies == Bodies::Keep);

        let mut client = proxied.connect().await;
        let handshake = HANDSHAKE.replace("host: test", "authorization: Bearer sk-key-in-header\r\nhost: test");
        client.send(handshake.as_bytes()).await;
        client.send(&masked(TEXT, body)).await;
        client.send(&masked(CLOSE, close_payload(1000, ""))).await;
        client.read_to_end().await;
        let exchange = proxied.exchange(2).await;
        assert_eq!(exchange.frames()[0].content.bytes().is_some(), bodies == Bodies::Keep);

        for path in proxied.paths() {
            let text = fs::read_to_string(&path).unwrap();
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} in {}:\n{text}", path.display());
            }
            assert!(text.contains("[redacted]"), "{text}");
            assert_eq!(text.contains("hello"), bodies == Bodies::Keep, "{text}");
        }
    }
}

#[tokio::test]
async fn a_websocket_is_passed_on_and_played_again() {
    use FrameKind::{Close, Ping, Pong, Text};
    use Peer::{Client as C, Server as S};
    let said = ["{\"type\":\"response.created\"}", "{\"type\":\"response.completed\"}"];
    let first = Exchange::new().text(said[0]).ping("?").text(said[1]);
    let second = Exchange::new().text("more").close(1001, "bye");
    let proxied = Proxied::new([Response::websocket(WebSocketScript::new().exchange(first).exchange(second))]).await;
    let talk = async |mut client: Client| {
        client
            .send(HANDSHAKE.replace("\r\n\r\n", "\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n").as_bytes())
            .await;
        client.expect(SWITCHED.as_bytes()).await;
        client.send(&masked(TEXT, "one")).await;
        client.expect(&[texts(&said[..1]), frame(PING, "?"), texts(&said[1..])].concat()).await;
        client.send(&masked(PONG, "?")).await;
        client.send(&masked(TEXT, "two")).await;
        client.expect(&[texts(&["more"]), frame(CLOSE, close_payload(1001, "bye"))].concat()).await;
        client.send(&masked(CLOSE, close_payload(1001, ""))).await;
        assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Fin));
    };
    talk(proxied.connect().await).await;
    assert_eq!(proxied.upstream.messages().iter().map(|message| &*message.text).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(proxied.upstream.requests()[0].header("sec-websocket-extensions"), None);

    let exchange = proxied.exchange(1).await;
    assert_eq!(exchange.end, RecordedEnd::Finish);
    let frames: Vec<_> = exchange.frames().iter().map(|frame| (frame.from, frame.kind)).collect();
    assert_eq!(
        frames,
        [(C, Text), (S, Text), (S, Ping), (S, Text), (C, Pong), (C, Text), (S, Text), (S, Close), (C, Close)]
    );

    let replay = server([Response::recorded(&exchange, Speed::Max)]).await;
    talk(Client::connect(&replay).await).await;
}

#[tokio::test]
async fn what_a_websocket_says_wrong_is_played_again_or_ends_the_recording() {
    // Text that is not UTF-8 is a message all the same; behind an unknown opcode nothing can be told any more.
    let broken: [(&'static [u8], &[FrameKind]); 2] =
        [(b"\x81\x02\xff\xfe", &[FrameKind::Text; 2]), (b"\x83\x00", &[FrameKind::Text])];
    for (wrong, kinds) in broken {
        let proxied =
            Proxied::new([Response::websocket(WebSocketScript::new().exchange(Exchange::new().frames(wrong)))]);
        let proxied = proxied.await;
        let ask = async |client: &mut Client| {
            client.send(HANDSHAKE.as_bytes()).await;
            client.expect(SWITCHED.as_bytes()).await;
            client.send(&masked(TEXT, "one")).await;
        };
        let mut client = proxied.connect().await;
        ask(&mut client).await;
        client.expect(wrong).await;
        client.send(&masked(CLOSE, close_payload(1007, ""))).await;
        drop(client);
        let exchange = proxied.exchange(1).await;
        let said = exchange.frames().iter().filter(|frame| frame.kind != FrameKind::Close);
        assert_eq!(said.map(|frame| frame.kind).collect::<Vec<_>>(), kinds);
        let replay = server([Response::recorded(&exchange, Speed::Max)]).await;
        let mut client = Client::connect(&replay).await;
        ask(&mut client).await;
        if kinds.len() == 2 {
            client.expect(wrong).await;
            continue;
        }
        let RecordedEnd::Failed(why) = &exchange.end else { panic!("{:?}", exchange.end) };
        assert_eq!(why, "the WebSocket is not understood any more: the peer broke the protocol: opcode 3 is reserved");
        assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Fin));
    }
}

#[tokio::test]
async fn ends_are_recorded_and_played_as_they_were() {
    let sent = "data: {\"half\n";
    let chunk = format!("{:x}\r\n{sent}\r\n", sent.len());
    for (cut, end, ended) in
        [(Cut::Close, RecordedEnd::Cut, Ended::Fin), (Cut::Reset, RecordedEnd::Reset, Ended::Reset)]
    {
        let gate = Gate::new();
        let proxied = Proxied::new([Response::sse(sent).hold_until(gate.clone()).cut(cut)]).await;
        let mut client = proxied.post().await;
        client.expect(&[SSE_HEAD, chunk.as_bytes()].concat()).await;
        gate.open();
        assert_eq!(client.read_to_end().await, (Vec::new(), ended), "{cut:?}");
        let exchange = proxied.exchange(1).await;
        assert_eq!((&exchange.end, pieces(&exchange)), (&end, vec![(0, sent)]));

        let replay = server([Response::recorded(&exchange, Speed::Max)]).await;
        let mut client = Client::post(&replay).await;
        if end == RecordedEnd::Cut {
            client.expect(&[SSE_HEAD, chunk.as_bytes()].concat()).await;
        }
        let (_, replayed) = client.read_to_end().await;
        assert_eq!(replayed, if end == RecordedEnd::Cut { Ended::Fin } else { Ended::Reset });
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_recorded_and_the_service_is_left_too() {
    let proxied = Proxied::new([Response::sse("data: 1\n\n").hold_until(Gate::new())]).await;
    let mut client = proxied.post().await;
    client.expect(&[SSE_HEAD, b"9\r\ndata: 1\n\n\r\n"].concat()).await;
    drop(client);
    let exchange = proxied.exchange(1).await;
    assert_eq!((&exchange.end, pieces(&exchange)), (&RecordedEnd::HangUp, vec![(0, "data: 1\n\n")]));
    expect_disconnects(&proxied.upstream, 1).await;
    // Nobody knows how it would have gone on.
    let replay = server([Response::recorded(&exchange, Speed::Max)]).await;
    let mut client = Client::post(&replay).await;
    client.expect(&[SSE_HEAD, b"9\r\ndata: 1\n\n\r\n"].concat()).await;
    client.expect_silence(&replay).await;
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_written() {
    let proxied = Proxied::new([Response::sse("data: 1\n\n").hold_until(Gate::new())]).await;
    let mut client = proxied.post().await;
    client.expect(&[SSE_HEAD, b"9\r\ndata: 1\n\n\r\n"].concat()).await;
    let Proxied { recorder, folder, upstream: _upstream, .. } = proxied;
    soon(recorder.shutdown()).await;
    let cassette = Cassette::load(folder.path().join("0001-responses.cassette")).unwrap();
    assert_eq!(cassette.exchanges()[0].end, RecordedEnd::Open);
    assert_eq!(pieces(&cassette.exchanges()[0]), [(0, "data: 1\n\n")]);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_502_with_the_reason() {
    let gone = server([]).await;
    let url = gone.base_url();
    soon(gone.shutdown()).await;
    let folder = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let recorder = Recorder::builder(url)
        .folder(folder.path())
        .on_written(move |path, written| heard.lock().unwrap().push((path.to_path_buf(), written.is_ok())));
    let recorder = recorder.start().await.unwrap();
    let mut client = Client { stream: TcpStream::connect(recorder.addr()).await.unwrap() };
    client.send(POST).await;
    client.expect(b"HTTP/1.1 502 Bad Gateway\r\n").await;
    soon(recorder.wait_for_cassettes(1)).await;
    let path = folder.path().join("0001-responses.cassette");
    assert_eq!(*told.lock().unwrap(), [(path.clone(), true)]);
    let cassette = Cassette::load(&path).unwrap();
    let RecordedEnd::Failed(why) = &cassette.exchanges()[0].end else { panic!("{cassette:?}") };
    assert!(why.contains("127.0.0.1"), "{why}");

    let replay = server([Response::recorded(&cassette.exchanges()[0], Speed::Max)]).await;
    let mut client = Client::post(&replay).await;
    client.expect(b"HTTP/1.1 502 Bad Gateway\r\n").await;
}

#[tokio::test]
async fn what_is_compressed_is_passed_on_and_not_written() {
    let body = Response::sse("secret-of-a-kind").header("content-encoding", "gzip");
    let proxied = Proxied::new([body]).await;
    let mut client = proxied.post().await;
    let exchange = proxied.exchange(1).await;
    assert_eq!(exchange.end, RecordedEnd::Failed("a body coded as gzip cannot be redacted".to_owned()));
    assert!(exchange.chunks().is_empty());
    client.expect(b"HTTP/1.1 200 OK\r\n").await;
    assert_eq!(proxied.upstream.requests()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test(start_paused = true)]
async fn recorded_times_are_kept_or_left_out() {
    let text = "codex-cassette 1\nrequest +0s POST \"/\"\nresponse +10s 200\nheader content-type \"text/event-stream\"\n\
                chunk +15s\n| a\nchunk +40s\n| b\nend +60s finish\n";
    let cassette = Cassette::parse(text).unwrap();
    for (speed, expected) in [(Speed::Recorded, 60), (Speed::Max, 0)] {
        let begun = tokio::time::Instant::now();
        let replay = ReplayServer::builder().cassette(&cassette, speed).start().await.unwrap();
        let mut client = Client { stream: TcpStream::connect(replay.addr()).await.unwrap() };
        // No limit here: it would be the next thing that the clock jumps to.
        client.stream.write_all(POST).await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(LAST_CHUNK) {
            assert_ne!(client.stream.read_buf(&mut read).await.unwrap(), 0);
        }
        assert_eq!(begun.elapsed().as_secs(), expected, "{speed:?}");
    }
}
