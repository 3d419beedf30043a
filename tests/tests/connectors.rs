//! Turns over connections of the caller's own.

mod support;

use std::{
    future::poll_fn,
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use codex_api::{FailureKind, Request, RetryPolicy, Timeouts, Transport, TurnEvent, connector};
use support::{drain, impatient, in_memory::accept_socket, soon};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex},
    time::timeout,
};
use ws_codec::{Config, Role, io::Connection};

const HELLO: &str = concat!(
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n",
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hello\"}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[{\"type\":\"message\",",
    "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hello\"}]}]}}\n\n",
);

/// Answers every request of the connection with `HELLO`; the result is how many there were.
async fn service(stream: DuplexStream) -> io::Result<usize> {
    let mut stream = BufReader::new(stream);
    for requests in 0.. {
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(requests);
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
        stream.write_all(format!("{head}content-length: {}\r\n\r\n{HELLO}", HELLO.len()).as_bytes()).await?;
    }
    Ok(0)
}

#[tokio::test]
async fn turns_go_through_memory() {
    let (near, far) = duplex(64 * 1024);
    let served = tokio::spawn(service(far));
    let only = std::sync::Mutex::new(Some(near));
    let pipe = connector::from_fn(move |destination| {
        assert_eq!(destination.to_string(), "model.test:80");
        let near = only.lock().unwrap().take();
        async move { near.ok_or("there is one connection") }
    });
    let client = impatient("http://model.test/v1").connector(pipe).build().unwrap();
    let session = client.session();
    for _ in 0..3 {
        let answer = soon(session.begin_turn().stream(Request::new("m").user("Hi")).collect()).await.unwrap();
        assert_eq!(answer.text(), "Hello");
    }
    drop((session, client));
    assert_eq!(soon(served).await.unwrap().unwrap(), 3, "they shared the connection");
}

/// Opens a WebSocket, and takes `pieces` of 64 KiB of what is sent over it, one a second; once nothing more comes, it
/// answers.
async fn slow_socket(stream: BufReader<DuplexStream>, pieces: usize) -> io::Result<()> {
    let mut stream = accept_socket(stream).await?;
    let mut piece = vec![0; 64 * 1024];
    for _ in 0..pieces {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if timeout(Duration::from_millis(1), stream.read(&mut piece)).await.is_err() {
            let event = br#"{"type":"response.completed","response":{"id":"r"}}"#;
            stream.write_all(&[0x81, event.len() as u8]).await?;
            stream.write_all(event).await?;
            break;
        }
    }
    std::future::pending().await
}

/// The deadlines for the first event and for silence are about the service, which has not got the request yet.
#[tokio::test(start_paused = true)]
async fn a_long_request_over_a_slow_line_is_no_stall_as_long_as_it_moves() {
    // The last one stops in the middle of the request.
    for (pieces, moves) in [(usize::MAX, true), (8, false)] {
        let (near, far) = duplex(64 * 1024);
        let served = tokio::spawn(slow_socket(BufReader::with_capacity(64 * 1024, far), pieces));
        let only = std::sync::Mutex::new(Some(near));
        let pipe = connector::from_fn(move |_| {
            let near = only.lock().unwrap().take();
            async move { near.ok_or("there is one connection") }
        });
        let limit = Some(Duration::from_secs(3));
        let timeouts = Timeouts { first_event: limit, idle: limit, ..Timeouts::default() };
        let client = impatient("http://model.test/v1").connector(pipe).timeouts(timeouts);
        let client = client.transport(Transport::WebSocket).retry(RetryPolicy::new().with_max_attempts(1));
        let request = Request::new("m").user("x".repeat(1024 * 1024));
        let (_, error) = drain(client.build().unwrap().session().begin_turn().stream(request)).await;
        assert_eq!(error.as_ref().map(codex_api::Error::kind), (!moves).then_some(FailureKind::Timeout), "{error:?}");
        served.abort();
    }
}

/// Opens a WebSocket, and answers its first request before it reads it: the rest of it is read `later`, with what
/// follows, or never. All that is read has to be whole requests, each of which gets an answer.
async fn hasty_socket(stream: DuplexStream, later: bool) -> io::Result<()> {
    let mut stream = accept_socket(BufReader::new(stream)).await?;
    let event = r#"{"type":"response.completed","response":{"id":"r"}}"#;
    let answer = [&[0x81, event.len() as u8], event.as_bytes()].concat();
    stream.write_all(&answer).await?;
    let mut is_first = true;
    let mut socket = Connection::new(stream, Role::Server, Config::new(), Instant::now());
    if !later {
        return std::future::pending().await;
    }
    loop {
        let message = match poll_fn(|cx| socket.poll_message(cx, Instant::now())).await {
            Some(message) => message.map_err(io::Error::other)?,
            None => return Ok(()),
        };
        let request: serde_json::Value = serde_json::from_slice(message.as_bytes()).map_err(io::Error::other)?;
        assert_eq!(request["type"], "response.create");
        if !std::mem::replace(&mut is_first, false) {
            socket.start_send(event.to_owned()).map_err(io::Error::other)?;
        }
    }
}

/// What is left of a request is sent before the next one goes over its socket, or that one goes over another.
#[tokio::test]
async fn an_answer_before_its_request_is_sent_leaves_no_half_request_to_the_next() {
    for (later, room) in [(false, 1024), (true, 1024), (true, 8 << 20)] {
        let sockets = Arc::new(Mutex::new(Vec::new()));
        let opened = sockets.clone();
        let pipe = connector::from_fn(move |_| {
            let (near, far) = duplex(room);
            opened.lock().unwrap().push(tokio::spawn(hasty_socket(far, later)));
            async move { Ok::<_, io::Error>(near) }
        });
        let client = impatient("http://model.test/v1").connector(pipe).transport(Transport::WebSocket);
        let session = client.build().unwrap().session();
        for _ in 0..3 {
            let request = Request::new("m").user("x".repeat(1024 * 1024));
            let (events, error) = soon(drain(session.begin_turn().stream(request))).await;
            assert!(error.is_none(), "{error:?}");
            assert!(!events.iter().any(|event| matches!(event, TurnEvent::Retry(_))), "{later} {room}: {events:?}");
        }
        let sockets = std::mem::take(&mut *sockets.lock().unwrap());
        for socket in sockets.into_iter().filter(tokio::task::JoinHandle::is_finished) {
            let end = socket.await.unwrap();
            // One that was not used again was left in the middle.
            assert!(end.is_err_and(|error| error.to_string().contains("ended")), "{later} {room}");
        }
    }
}

#[tokio::test]
async fn a_connector_that_fails_is_asked_again() {
    let pipe = connector::from_fn(|_| async { Err::<DuplexStream, _>("no such tunnel") });
    let client = impatient("http://model.test/v1").connector(pipe).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(Request::new("m"))).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts()), (FailureKind::Connect, 9));
    assert_eq!(error.message(), "cannot connect to model.test:80: no such tunnel");
}

#[tokio::test(start_paused = true)]
async fn the_connect_deadline_lies_over_a_connector() {
    let pipe = connector::from_fn(|_| std::future::pending::<io::Result<DuplexStream>>());
    let timeouts = Timeouts::default();
    let client = impatient("http://model.test/v1").connector(pipe).timeouts(timeouts).build().unwrap();
    let start = tokio::time::Instant::now();
    let (_, error) = drain(client.session().begin_turn().stream(Request::new("m"))).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts()), (FailureKind::Timeout, 9));
    assert!(start.elapsed() >= timeouts.connect.unwrap() * 9);
}
