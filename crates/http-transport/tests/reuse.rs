//! Connections that serve more than one request, and those that must not.

mod support;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use http_transport::{Error, ErrorKind, Exchange, Phase, Reuse, Transport};
use support::{direct, finish, post, read_request, soon, upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
const LAST_CHUNK: &str = "0\r\n\r\n";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const CLOSE: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
const OLD: &str = "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const OLD_AND_KEPT: &str = "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello";
/// The next answer, as somebody between saw it who goes by the length.
const CONTESTED: &str =
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const CHUNKED_TWICE: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const MISDIRECTED: &str = "HTTP/1.1 421 Misdirected Request\r\ncontent-length: 5\r\n\r\nhello";

/// What a server does with one connection.
#[derive(Clone, Copy)]
enum Step {
    /// Reads a request and writes this.
    Answer(&'static str),
    /// Writes this, asked or not.
    Say(&'static str),
    /// Waits until the test goes on.
    Wait,
    /// Ends the connection; without this it is kept until the client leaves.
    Close,
}

use Step::{Answer, Close, Say, Wait};

/// A server of scripted connections, in the order of their coming; more than that are not accepted.
struct Server {
    uri: String,
    /// The number of the connection that each request came on.
    seen: Arc<Mutex<Vec<usize>>>,
    /// What [`Wait`] waits for.
    go: Arc<Notify>,
    connections: JoinHandle<Vec<JoinHandle<()>>>,
}

impl Server {
    async fn start(scripts: &[&[Step]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let scripts: Vec<Vec<Step>> = scripts.iter().map(|script| script.to_vec()).collect();
        let (journal, going) = (Arc::clone(&seen), Arc::new(Notify::new()));
        let go = Arc::clone(&going);
        let connections = tokio::spawn(async move {
            let mut connections = Vec::new();
            for (number, script) in scripts.into_iter().enumerate() {
                let (stream, _) = listener.accept().await.unwrap();
                connections.push(tokio::spawn(play(stream, number, script, Arc::clone(&journal), Arc::clone(&going))));
            }
            connections
        });
        Self { uri, seen, go, connections }
    }

    /// Waits for all connections to have come and gone.
    async fn check(self, expected: &[usize]) {
        for connection in finish(self.connections).await {
            finish(connection).await;
        }
        assert_eq!(*self.seen.lock().unwrap(), expected);
    }
}

async fn play(mut stream: TcpStream, number: usize, script: Vec<Step>, seen: Arc<Mutex<Vec<usize>>>, go: Arc<Notify>) {
    stream.set_nodelay(true).unwrap();
    for step in script {
        match step {
            Answer(answer) => {
                read_request(&mut stream).await;
                seen.lock().unwrap().push(number);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            Say(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
            Wait => go.notified().await,
            Close => return,
        }
    }
    assert!(is_closed(&mut stream).await, "a request too many on connection {number}");
}

/// Waits for the client's going.
async fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 16]).await {
        Ok(count) => count == 0,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

/// Waits for tasks to end.
async fn until_tasks_are(count: usize) {
    let tasks = Handle::current().metrics();
    let ended = async {
        while tasks.num_alive_tasks() > count {
            yield_now().await;
        }
    };
    soon(ended).await;
}

/// Reads on to the end of the body.
async fn rest(exchange: &mut Exchange) -> Result<String, Error> {
    let mut body = Vec::new();
    while let Some(data) = exchange.data().await {
        body.extend_from_slice(&data?);
    }
    Ok(String::from_utf8(body).unwrap())
}

/// One whole request.
async fn ask(transport: &Transport, uri: &str) -> Result<String, Error> {
    let mut exchange = post(transport, uri);
    exchange.head().await?;
    rest(&mut exchange).await
}

/// Asks as often as `expected` says, which is whether there is an answer, and compares the connections that served
/// the requests.
async fn check(scripts: &[&[Step]], expected: &[Result<&str, ErrorKind>], connections: &[usize]) {
    let server = Server::start(scripts).await;
    let transport = direct();
    for expected in expected {
        let answer = ask(&transport, &server.uri).await.map_err(|error| error.kind());
        assert_eq!(answer.as_deref().map_err(|kind| *kind), *expected);
    }
    drop(transport);
    server.check(connections).await;
}

#[tokio::test]
async fn a_body_read_to_its_end_leaves_the_connection_for_the_next_request() {
    check(&[&[Answer(HELLO), Answer(HELLO), Answer(HELLO)]], &[Ok("hello"); 3], &[0, 0, 0]).await;
    let chunked = [Answer(CHUNKED), Say(LAST_CHUNK), Answer(CHUNKED), Say(LAST_CHUNK)];
    check(&[&chunked], &[Ok("hello"); 2], &[0, 0]).await;
    check(&[&[Answer(EMPTY), Answer(HELLO)]], &[Ok(""), Ok("hello")], &[0, 0]).await;
}

#[tokio::test]
async fn a_connection_can_wait_for_the_callers_word() {
    let chunked = [Answer(CHUNKED), Say(LAST_CHUNK)];
    for (answer, trailers) in [(&[Answer(HELLO)][..], ""), (&chunked, ""), (&[Answer(CHUNKED)], "0\r\nx-a: 1\r\n\r\n")]
    {
        let first = [answer, &[Say(trailers), Answer(HELLO)]].concat();
        let server = Server::start(&[&first, &[Answer(HELLO)]]).await;
        let transport = direct();
        for is_good in [true, false, true] {
            let mut exchange = post(&transport, &server.uri);
            exchange.set_reuse(Reuse::AfterFinish);
            exchange.head().await.unwrap();
            assert_eq!(rest(&mut exchange).await.unwrap(), "hello");
            assert_eq!(rest(&mut exchange).await.unwrap(), "", "the end stays the end");
            if is_good {
                exchange.finish();
            }
        }
        drop(transport);
        server.check(&[0, 0, 1]).await;
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ends_or_that_was_the_wrong_one_is_not_used_again() {
    for answer in [CLOSE, OLD, OLD_AND_KEPT, CONTESTED, CHUNKED_TWICE, MISDIRECTED] {
        check(&[&[Answer(answer)], &[Answer(HELLO)]], &[Ok("hello"); 2], &[0, 1]).await;
    }
    let until_the_end = [Answer("HTTP/1.1 200 OK\r\n\r\nhello"), Close];
    check(&[&until_the_end, &[Answer(HELLO)]], &[Ok("hello"); 2], &[0, 1]).await;
    let cut = [Answer(CHUNKED), Close];
    check(&[&cut, &[Answer(HELLO)]], &[Err(ErrorKind::Truncated), Ok("hello")], &[0, 1]).await;
}

#[tokio::test]
async fn a_connection_closed_while_it_waited_costs_nothing() {
    check(&[&[Answer(HELLO), Close], &[Answer(HELLO)]], &[Ok("hello"); 2], &[0, 1]).await;
}

#[tokio::test]
async fn a_connection_seen_to_be_closed_makes_room_for_the_next_one_that_waits() {
    let server = Server::start(&[&[Answer(HELLO), Answer(HELLO)], &[Answer(HELLO), Wait, Close]]).await;
    let transport = direct();
    let (mut first, mut second) = (post(&transport, &server.uri), post(&transport, &server.uri));
    first.head().await.unwrap();
    let tasks = Handle::current().metrics();
    let before = tasks.num_alive_tasks();
    second.head().await.unwrap();
    for mut exchange in [first, second] {
        assert_eq!(rest(&mut exchange).await.unwrap(), "hello");
    }
    server.go.notify_one();
    // Two tasks, of the listener and of the first connection, became three and end up as one.
    until_tasks_are(before - 1).await;
    yield_now().await;
    assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
    drop(transport);
    server.check(&[0, 1, 0]).await;
}

#[tokio::test]
async fn a_waiting_connection_that_speaks_is_not_used_again() {
    let timed_out = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n";
    let one_flight = format!("{HELLO}{timed_out}").leak();
    check(&[&[Answer(one_flight)], &[Answer(HELLO)]], &[Ok("hello"); 2], &[0, 1]).await;
}

#[tokio::test]
async fn a_request_on_a_stale_connection_is_sent_once_more() {
    let stale = [Answer(HELLO), Answer(""), Close];
    check(&[&stale, &[Answer(HELLO)]], &[Ok("hello"); 2], &[0, 0, 1]).await;
}

/// The server's timer and the request crossed.
#[tokio::test]
async fn a_request_that_a_timeout_of_the_idle_connection_answers_is_sent_once_more() {
    const LATE: &str = "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno";
    const KEPT: &str = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 2\r\n\r\nno";
    const LISTED: &str =
        "HTTP/1.1 408 Request Timeout\r\nconnection: x-a\r\nconnection: x-b , Close\r\ncontent-length: 2\r\n\r\nno";
    for late in [LATE, LISTED] {
        check(&[&[Answer(HELLO), Answer(late)], &[Answer(HELLO)]], &[Ok("hello"); 2], &[0, 0, 1]).await;
    }
    // One that is meant: on a fresh connection, on one that goes on, and after all.
    check(&[&[Answer(LATE)]], &[Ok("no")], &[0]).await;
    check(&[&[Answer(HELLO), Answer(KEPT)]], &[Ok("hello"), Ok("no")], &[0, 0]).await;
    check(&[&[Answer(HELLO), Answer(LATE)], &[Answer(LATE)]], &[Ok("hello"), Ok("no")], &[0, 0, 1]).await;
}

#[tokio::test]
async fn it_is_sent_no_third_time() {
    let stale = [Answer(HELLO), Answer(""), Close];
    let broken = [Answer(""), Close];
    check(&[&stale, &broken], &[Ok("hello"), Err(ErrorKind::Unanswered)], &[0, 0, 1]).await;
}

#[tokio::test]
async fn a_request_that_was_answered_with_a_single_byte_is_not_sent_again() {
    let answered = [Answer(HELLO), Answer("H"), Close];
    check(&[&answered], &[Ok("hello"), Err(ErrorKind::Unanswered)], &[0, 0]).await;
}

#[tokio::test]
async fn a_request_on_a_fresh_connection_is_sent_once() {
    check(&[&[Answer(""), Close]], &[Err(ErrorKind::Unanswered)], &[0]).await;
}

#[tokio::test]
async fn an_unread_body_closes_the_connection() {
    let server = Server::start(&[&[Answer(HELLO)], &[Answer(HELLO)]]).await;
    let transport = direct();
    post(&transport, &server.uri).head().await.unwrap();
    assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
    drop(transport);
    server.check(&[0, 1]).await;
}

#[tokio::test]
async fn upgrades_have_a_connection_of_their_own() {
    let server = Server::start(&[&[Answer(HELLO), Answer(HELLO)], &[Answer(HELLO)]]).await;
    let transport = direct();
    assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
    let mut refused = upgrade(&transport, &server.uri);
    assert_eq!(refused.head().await.unwrap().status, StatusCode::OK);
    assert_eq!(rest(&mut refused).await.unwrap(), "hello");
    drop(refused);
    assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
    drop(transport);
    server.check(&[0, 1, 0]).await;
}

#[tokio::test]
async fn transports_of_one_origin_share_their_connections() {
    let server = Server::start(&[&[Answer(HELLO), Answer(HELLO)]]).await;
    let transport = direct();
    let other = transport.with_head_timeout(None);
    assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
    assert_eq!(ask(&other, &server.uri).await.unwrap(), "hello");
    drop((transport, other));
    server.check(&[0, 0]).await;
}

#[tokio::test]
async fn a_connection_waits_for_90_seconds() {
    for (seconds, connections) in [(89, [0, 0]), (90, [0, 1])] {
        let used = [Answer(HELLO), Answer(HELLO)];
        let expired = [Answer(HELLO)];
        let scripts: &[&[Step]] = if seconds < 90 { &[&used] } else { &[&expired, &expired] };
        let server = Server::start(scripts).await;
        let transport = direct();
        assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
        assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
        drop(transport);
        server.check(&connections).await;
    }
}

#[tokio::test]
async fn at_most_thirty_connections_wait() {
    const LIMIT: usize = 30;
    let once: &[Step] = &[Answer(HELLO)];
    let twice: &[Step] = &[Answer(HELLO), Answer(HELLO)];
    let mut scripts = vec![once];
    scripts.extend([twice; LIMIT]);
    scripts.push(once);
    let server = Server::start(&scripts).await;
    let transport = direct();
    let mut all = Vec::new();
    for _ in 0..2 {
        for _ in 0..=LIMIT {
            let mut exchange = post(&transport, &server.uri);
            exchange.head().await.unwrap();
            all.push(exchange);
        }
        for mut exchange in all.drain(..) {
            assert_eq!(rest(&mut exchange).await.unwrap(), "hello");
        }
    }
    drop(transport);
    // The first was given up for the last; the others come back in the order of the freshest, and one is new.
    let expected: Vec<usize> = (0..=LIMIT).chain((1..=LIMIT).rev()).chain([LIMIT + 1]).collect();
    server.check(&expected).await;
}

/// One that runs by itself, for the server, and two that run when they are asked to.
fn three_runtimes() -> [Runtime; 3] {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    [Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(), runtime(), runtime()]
}

#[test]
fn a_connection_of_another_runtime_is_left_alone() {
    // Whose sockets nobody looks at: a request on one would wait for ever.
    let [serving, first, second] = three_runtimes();
    let server = serving.block_on(Server::start(&[&[Answer(HELLO), Answer(HELLO)], &[Answer(HELLO)]]));
    let transport = direct();
    for client in [&first, &second, &first] {
        assert_eq!(client.block_on(ask(&transport, &server.uri)).unwrap(), "hello");
    }
    drop(transport);
    serving.block_on(server.check(&[0, 1, 0]));
}

#[test]
fn a_connection_belongs_to_the_runtime_that_opened_it() {
    // Wherever its answer was read to the end: its socket is that of the first, which nobody drives meanwhile.
    let [serving, first, second] = three_runtimes();
    let server = serving.block_on(Server::start(&[&[Answer(HELLO), Answer(HELLO)], &[Answer(HELLO)]]));
    let transport = direct();
    let mut exchange = post(&transport, &server.uri);
    first.block_on(exchange.head()).unwrap();
    assert_eq!(second.block_on(rest(&mut exchange)).unwrap(), "hello");
    for client in [&second, &first] {
        let answer = client.block_on(async { soon(ask(&transport, &server.uri)).await });
        assert_eq!(answer.unwrap(), "hello");
    }
    drop((exchange, transport));
    serving.block_on(server.check(&[0, 1, 0]));
}

/// Asks, and finishes behind the first piece of the answer.
async fn finish_early(transport: &Transport, uri: &str) {
    let mut exchange = post(transport, uri);
    exchange.head().await.unwrap();
    assert_eq!(exchange.phase(), Phase::Body);
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hello");
    exchange.finish();
}

#[tokio::test]
async fn a_rest_that_is_there_is_read_without_a_task() {
    let server = Server::start(&[&[Answer(format!("{CHUNKED}{LAST_CHUNK}").leak()), Answer(HELLO)]]).await;
    let transport = direct();
    let tasks = Handle::current().metrics();
    let mut exchange = post(&transport, &server.uri);
    exchange.head().await.unwrap();
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hello");
    let before = tasks.num_alive_tasks();
    exchange.finish();
    assert_eq!(tasks.num_alive_tasks(), before);
    assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
    drop(transport);
    server.check(&[0, 0]).await;
}

#[tokio::test]
async fn a_rest_that_comes_soon_leaves_the_connection_for_the_next_request() {
    let server = Server::start(&[&[Answer(CHUNKED), Wait, Say(LAST_CHUNK), Answer(HELLO)]]).await;
    let transport = direct();
    let tasks = Handle::current().metrics();
    let mut exchange = post(&transport, &server.uri);
    exchange.head().await.unwrap();
    assert_eq!(exchange.data().await.unwrap().unwrap(), "hello");
    let before = tasks.num_alive_tasks();
    exchange.finish();
    assert_eq!(tasks.num_alive_tasks(), before + 1);
    server.go.notify_one();
    // The task ends when the connection waits for the next request.
    until_tasks_are(before).await;
    assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello");
    drop(transport);
    server.check(&[0, 0]).await;
}

#[tokio::test]
async fn a_rest_that_does_not_come_closes_the_connection_after_100_milliseconds() {
    let server = Server::start(&[&[Answer(CHUNKED)]]).await;
    let transport = direct();
    finish_early(&transport, &server.uri).await;
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    server.check(&[0]).await;
    let taken = start.elapsed();
    assert!(taken <= Duration::from_millis(105), "{taken:?}");
    drop(transport);
}

#[tokio::test]
async fn a_rest_that_is_long_closes_the_connection() {
    for (length, connections) in [(16 * 1024, [0, 0]), (16 * 1024 + 1, [0, 1])] {
        // Many small pieces: they count together.
        let body = "400\r\n".to_owned() + &"x".repeat(1024) + "\r\n";
        let over = if length % 1024 == 1 { "1\r\nx\r\n" } else { "" };
        let answer: &str = format!("{CHUNKED}{}{over}{LAST_CHUNK}", body.repeat(length / 1024)).leak();
        let (used, closed) = ([Answer(answer), Answer(HELLO)], [Answer(answer)]);
        let again = [Answer(HELLO)];
        let scripts: &[&[Step]] = if connections == [0, 0] { &[&used] } else { &[&closed, &again] };
        let server = Server::start(scripts).await;
        let transport = direct();
        let tasks = Handle::current().metrics();
        let before = tasks.num_alive_tasks();
        finish_early(&transport, &server.uri).await;
        until_tasks_are(before).await;
        assert_eq!(ask(&transport, &server.uri).await.unwrap(), "hello", "{length}");
        drop(transport);
        server.check(&connections).await;
    }
}

#[tokio::test]
async fn finishing_before_the_head_closes_the_connection() {
    let server = Server::start(&[&[Answer("")]]).await;
    let transport = direct();
    let mut exchange = post(&transport, &server.uri);
    tokio::select! {
        _ = exchange.head() => panic!("there is no head"),
        () = async { while server.seen.lock().unwrap().is_empty() { yield_now().await } } => {}
    }
    exchange.finish();
    server.check(&[0]).await;
    drop(transport);
}
