//! What the server records, and which answer a request gets.

mod support;

use stream_replay::{RecordedRequest, ReplayServer, Response};
use support::{Client, server, soon};

const EMPTY_OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Sends `pieces` one by one, and gives back the one request that they are.
async fn recorded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> RecordedRequest {
    let server = server([Response::new(200)]).await;
    let mut client = Client::connect(&server).await;
    for piece in pieces {
        client.send(piece).await;
        tokio::task::yield_now().await;
    }
    client.expect(EMPTY_OK).await;
    let [request] = server.requests().try_into().unwrap();
    request
}

fn numbered(number: u16) -> Response {
    Response::new(200).body(number.to_string())
}

async fn expect_number(client: &mut Client, number: u16) {
    client.expect(format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}").as_bytes()).await;
}

#[tokio::test]
async fn request_is_recorded_as_sent() {
    let request = recorded([
        &b"PATCH /v1/responses?x=1 HTTP/1.1\r\nHost: a\r\nX-Twice: 1\r\nx-twice:  2\r\nContent-Length: 5\r\n\r\nhello"
            [..],
    ])
    .await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("PATCH", "/v1/responses?x=1"));
    let headers = [("Host", "a"), ("X-Twice", "1"), ("x-twice", "2"), ("Content-Length", "5")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(request.header("x-TWICE"), Some("1"));
    assert_eq!(request.header("x-other"), None);
    assert_eq!(request.body, "hello");
}

#[tokio::test]
async fn body_is_given_as_text_and_as_json() {
    let body =
        |body: &[u8]| [format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
    let json = recorded([&*body(br#"{"model":"m"}"#)]).await;
    assert_eq!((&*json.text(), json.json().unwrap()["model"].as_str()), (r#"{"model":"m"}"#, Some("m")));
    for (bytes, text) in [(&b""[..], ""), (b"\xff{", "\u{fffd}{")] {
        let other = recorded([&*body(bytes)]).await;
        assert_eq!((&*other.text(), other.json().is_err()), (text, true));
    }
}

#[tokio::test]
async fn request_without_length_has_no_body() {
    let request = recorded([&b"\r\nGET /anything HTTP/1.1\r\n\r\n"[..]]).await;
    assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0));
}

#[tokio::test]
async fn chunked_body_is_recorded_without_its_coding_however_it_arrives() {
    let wire = b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n4;x\r\ndefg\r\n0\r\nt: 1\r\n\r\n";
    assert_eq!(recorded([&wire[..]]).await.body, "abcdefg");
    assert_eq!(recorded(wire.chunks(1)).await.body, "abcdefg");
}

#[tokio::test]
async fn large_body_is_recorded_whole() {
    let body = vec![b'x'; 3 * 1024 * 1024];
    let head = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", body.len());
    assert_eq!(recorded([head.as_bytes(), &body]).await.body, body);
}

#[tokio::test]
async fn client_that_waits_for_continue_is_told_to_go_on() {
    let server = server([Response::new(200)]).await;
    let mut client = Client::connect(&server).await;
    client.send(b"POST / HTTP/1.1\r\nexpect: 100-Continue\r\ncontent-length: 2\r\n\r\n").await;
    client.expect(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send(b"ok").await;
    client.expect(EMPTY_OK).await;
    assert_eq!(server.requests()[0].body, "ok");
}

#[tokio::test]
async fn later_requests_get_the_last_response_again() {
    let server = server([1, 2].map(numbered)).await;
    let mut client = Client::connect(&server).await;
    for expected in [1, 2, 2, 2] {
        client.send(support::POST).await;
        expect_number(&mut client, expected).await;
    }
}

#[tokio::test]
async fn responses_are_counted_over_all_connections() {
    let server = server([1, 2, 3].map(numbered)).await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for (client, expected) in [(1, 1), (0, 2), (1, 3)] {
        clients[client].send(support::POST).await;
        expect_number(&mut clients[client], expected).await;
    }
    let connections: Vec<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 0, 1]);
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_turn() {
    let server = server([1, 2, 3].map(numbered)).await;
    let mut client = Client::connect(&server).await;
    client.send(&support::POST.repeat(3)).await;
    for expected in 1..=3 {
        expect_number(&mut client, expected).await;
    }
}

#[tokio::test]
async fn many_connections_are_open_at_once() {
    let gate = stream_replay::Gate::new();
    let server = server([Response::new(200).gate_head(gate.clone())]).await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(Client::post(&server).await);
    }
    soon(server.wait_for_requests(100)).await;
    gate.open();
    for client in &mut clients {
        client.expect(EMPTY_OK).await;
    }
}

#[tokio::test]
async fn server_without_responses_says_so() {
    let server = ReplayServer::builder().start().await.unwrap();
    let mut client = Client::post(&server).await;
    client
        .expect(
            b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n\
              content-length: 45\r\n\r\nthis replay server has no response configured",
        )
        .await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn debug_output_has_no_secrets() {
    let names = [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "api-key",
        "X-Goog-Api-Key",
        "X-Codex-Turn-State",
        "Sec-WebSocket-Protocol",
        "x-amz-security-token",
        "client-secret",
    ];
    let mut wire = String::from("GET /v1?key=hush HTTP/1.1\r\nx-plain: shown\r\n");
    let mut response = Response::json(200, "hush").header("x-plain", "shown");
    for name in names {
        wire += name;
        wire += ": hush\r\n";
        response = response.header(name, "hush");
    }
    wire += "content-length: 4\r\n\r\nhush";
    let request = recorded([wire.as_bytes()]).await;
    assert!(names.iter().all(|name| request.header(name) == Some("hush")));
    for debug in [format!("{request:?}"), format!("{request:#?}"), format!("{response:?}")] {
        assert!(!debug.contains("hush"), "{debug}");
        assert!(debug.contains("shown"), "{debug}");
    }
}
