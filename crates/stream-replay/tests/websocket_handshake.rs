//! Which requests become a WebSocket, and with which head.

mod support;

use stream_replay::{Exchange, Gate, Response, WebSocketScript};
use support::websocket::{HANDSHAKE, SWITCHED, masked, open, texts};
use support::websocket::{TEXT, frame};
use support::{Client, LAST_CHUNK, SSE_HEAD, server, soon};

fn answering(text: &str) -> Response {
    Response::websocket(WebSocketScript::new().exchange(Exchange::new().text(text)))
}

/// This request, made to a WebSocket response, is refused with this reason; the connection goes on.
async fn check_refused(request: &str, reason: &str) {
    let server = server([answering("no"), Response::new(204)]).await;
    let mut client = Client::connect(&server).await;
    client.send(request.as_bytes()).await;
    let text = format!("this response is for a WebSocket handshake: {reason}");
    let expected = format!(
        "HTTP/1.1 426 Upgrade Required\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         content-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    client.expect(expected.as_bytes()).await;
    client.send(support::POST).await;
    client.expect(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn handshake_is_granted_with_the_right_key_and_recorded() {
    // The key and its answer are the example of RFC 6455 §1.3.
    let (server, _client) = open(answering("hi")).await;
    let [request] = server.requests().try_into().unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v1/responses"));
    assert_eq!(request.header("upgrade"), Some("WebSocket"));
    assert!(server.messages().is_empty());
}

#[tokio::test]
async fn own_headers_go_to_the_101() {
    let response = answering("hi").header("X-Codex-Turn-State", "opaque").header("x-twice", "1").header("x-twice", "2");
    let server = server([response]).await;
    let mut client = Client::connect(&server).await;
    client.send(HANDSHAKE.as_bytes()).await;
    let own = "\r\nX-Codex-Turn-State: opaque\r\nx-twice: 1\r\nx-twice: 2\r\nconnection";
    client.expect(SWITCHED.replacen("\r\nconnection", own, 1).as_bytes()).await;
    client.ask("x", &["hi"]).await;
}

#[tokio::test]
async fn own_headers_replace_those_of_the_handshake() {
    let server = server([answering("hi").header("Sec-WebSocket-Accept", "wrong")]).await;
    let mut client = Client::connect(&server).await;
    client.send(HANDSHAKE.as_bytes()).await;
    let expected = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: wrong\r\n\
                    connection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    client.expect(expected.as_bytes()).await;
}

#[tokio::test]
async fn gated_head_keeps_the_handshake_waiting() {
    let gate = Gate::new();
    let server = server([answering("hi").gate_head(gate.clone())]).await;
    let mut client = Client::connect(&server).await;
    client.send(HANDSHAKE.as_bytes()).await;
    soon(server.wait_for_requests(1)).await;
    client.expect_silence(&server).await;
    gate.release();
    client.expect(SWITCHED.as_bytes()).await;
}

#[tokio::test]
async fn other_requests_are_refused_with_a_reason() {
    check_refused("POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "the handshake is not a GET request").await;
    check_refused("GET / HTTP/1.1\r\n\r\n", "the handshake does not upgrade to websocket").await;
    let version = HANDSHAKE.replace("version: 13", "version: 8");
    check_refused(&version, "the handshake is not of version 13").await;
    let key = HANDSHAKE.replace("dGhlIHNhbXBsZSBub25jZQ==", "short");
    check_refused(&key, "the handshake has no valid key").await;
    let twice = HANDSHAKE.replace("host: test\r\n", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    check_refused(&twice, "the handshake has no valid key").await;
}

#[tokio::test]
async fn other_responses_refuse_the_handshake_as_they_answer_any_request() {
    let server = server([Response::json(426, "{}"), Response::sse("x"), answering("hi")]).await;
    let mut client = Client::connect(&server).await;
    client.send(HANDSHAKE.as_bytes()).await;
    let refused = "HTTP/1.1 426 Upgrade Required\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    client.expect(refused.as_bytes()).await;
    // The fallback, on the same connection.
    client.send(support::POST).await;
    client.expect(&[SSE_HEAD, b"1\r\nx\r\n", LAST_CHUNK].concat()).await;
    // And the next try.
    client.send(HANDSHAKE.as_bytes()).await;
    client.expect(SWITCHED.as_bytes()).await;
    client.ask("x", &["hi"]).await;
    let methods: Vec<_> = server.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "POST", "GET"]);
}

#[tokio::test]
async fn connections_get_their_responses_in_turn() {
    let server = server([answering("first"), answering("second")]).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Client::upgrade(&server).await);
    }
    for (client, text) in clients.iter_mut().zip(["first", "second", "second"]) {
        client.ask("x", &[text]).await;
    }
    let connections: Vec<_> = server.messages().into_iter().map(|message| message.connection).collect();
    assert_eq!(connections, [0, 1, 2]);
}

#[tokio::test]
async fn greetings_follow_the_head_unasked() {
    let script = WebSocketScript::new().greet(["one", "two"]).exchange(Exchange::new().text("three"));
    let (_server, mut client) = open(Response::websocket(script)).await;
    client.expect(&texts(&["one", "two"])).await;
    client.ask("x", &["three"]).await;
}

#[tokio::test]
async fn message_sent_behind_the_handshake_is_answered() {
    let server = server([answering("hi")]).await;
    let mut client = Client::connect(&server).await;
    client.send(&[HANDSHAKE.as_bytes(), &masked(TEXT, "early")].concat()).await;
    client.expect(&[SWITCHED.as_bytes(), &frame(TEXT, "hi")].concat()).await;
    assert_eq!(server.messages()[0].text, "early");
}
