//! Conversations on a WebSocket, frame by frame.

mod support;

use std::time::Duration;

use stream_replay::{Exchange, Gate, Pace, Response, WebSocketScript};
use support::websocket::{BINARY, PING, PONG, TEXT, frame, masked, open, play, texts};
use support::{Client, expect_disconnects, soon};

/// What this exchange sends, exactly; the pong shows where it ends.
async fn check(exchange: Exchange, expected: impl AsRef<[u8]>) {
    let (_server, mut client) = play(WebSocketScript::new().exchange(exchange)).await;
    client.send(&masked(TEXT, "x")).await;
    client.expect(expected.as_ref()).await;
    client.expect_pong("end").await;
}

/// What a response made of this stream answers to every message.
async fn check_body(response: Response, expected: &[&str]) {
    let (_server, mut client) = open(response).await;
    for _ in 0..2 {
        client.ask("x", expected).await;
        client.expect_pong("end").await;
    }
}

/// What these bytes of the client are answered with.
async fn check_input(input: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    let (server, mut client) = play(WebSocketScript::new()).await;
    client.send(input.as_ref()).await;
    client.expect(expected.as_ref()).await;
    assert_eq!(client.read_to_end().await, (Vec::new(), support::Ended::Fin));
    assert!(server.messages().is_empty());
    expect_disconnects(&server, 0).await;
}

const MAX_MESSAGE: u64 = 64 << 20;

/// The header of a text of this length.
fn announced(length: u64) -> Vec<u8> {
    [&[0x81, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat()
}

#[tokio::test]
async fn texts_are_one_frame_each_of_any_length() {
    check(Exchange::new(), "").await;
    check(Exchange::new().text("").text("é"), b"\x81\x00\x81\x02\xc3\xa9").await;
    for length in [125, 126, 0xffff, 0x1_0000, 3 << 20] {
        let text = "x".repeat(length);
        check(Exchange::new().text(&text), frame(TEXT, &text)).await;
    }
    let long = "x".repeat(0x1_0000);
    let expected = [b"\x81\x7f\0\0\0\0\0\x01\0\0", long.as_bytes()].concat();
    check(Exchange::new().text(long), expected).await;
}

#[tokio::test]
async fn raw_frames_and_pings_are_sent_as_they_are() {
    check(
        Exchange::new().frames(&b"\xff\x00not a frame"[..]).text("x"),
        [b"\xff\x00not a frame".to_vec(), frame(TEXT, "x")].concat(),
    )
    .await;
    check(Exchange::new().ping("are you there?"), frame(PING, "are you there?")).await;
    check(Exchange::new().ping([b'x'; 126]), frame(PING, [b'x'; 126])).await;
}

#[tokio::test]
async fn stream_becomes_messages_without_its_sentinel() {
    let body = b"\xef\xbb\xbfevent: a\r\ndata: {\"type\":\"a\"}\r\n\r\n: comment\n\ndata: one\ndata: two\n\nid: 1\n\n\
                 data: \xff\n\ndata: [DONE]\n\ndata:  DONE\n\ndata: [DONE] it is\n\ndata: no blank line";
    let expected = ["{\"type\":\"a\"}", "one\ntwo", "\u{fffd}", "[DONE] it is"];
    check(Exchange::new().sse(body).text("last"), texts(&[&expected[..], &["last"]].concat())).await;
    check_body(Response::sse(&body[..]), &expected).await;
    check_body(Response::sse(&body[..]).chunk_bytes(3), &expected).await;
}

#[tokio::test]
async fn exchanges_follow_in_order_and_the_last_one_again() {
    let script = WebSocketScript::new()
        .exchange(Exchange::new().text("1a").text("1b"))
        .exchange(Exchange::new())
        .exchange(Exchange::new().text("3"));
    let (server, mut client) = play(script).await;
    client.ask("a", &["1a", "1b"]).await;
    client.ask("b", &[]).await;
    for text in ["c", "d", "e"] {
        client.ask(text, &["3"]).await;
    }
    let texts: Vec<_> = server.messages().into_iter().map(|message| message.text).collect();
    assert_eq!(texts, ["a", "b", "c", "d", "e"]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn each_connection_begins_the_script_anew() {
    let script = WebSocketScript::new().exchange(Exchange::new().text("1")).exchange(Exchange::new().text("2"));
    let (server, mut first) = play(script).await;
    let mut second = Client::upgrade(&server).await;
    first.ask("a", &["1"]).await;
    second.ask("b", &["1"]).await;
    first.ask("c", &["2"]).await;
    let messages: Vec<_> = server.messages().into_iter().map(|message| (message.connection, message.text)).collect();
    assert_eq!(messages, [(0, "a".to_owned()), (1, "b".to_owned()), (0, "c".to_owned())]);
}

#[tokio::test]
async fn messages_are_recorded_whole_and_can_be_awaited() {
    let (server, mut client) = play(WebSocketScript::new()).await;
    let long = "long ".repeat(1 << 20);
    client.send(&masked(TEXT, &long)).await;
    // In two fragments, with a ping between them, byte by byte.
    let (mut begin, mut end) = (masked(TEXT, "a\u{20ac}"), masked(0, "b"));
    begin[0] &= 0x7f;
    begin.extend(masked(PING, "between"));
    begin.append(&mut end);
    for byte in begin {
        client.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    soon(server.wait_for_messages(2)).await;
    client.expect(&frame(PONG, "between")).await;
    let [first, second] = server.messages().try_into().unwrap();
    assert!(first.text == long && second.text == "a\u{20ac}b");
    assert!(second.json().is_err());
}

#[tokio::test]
async fn messages_are_given_as_json() {
    let (server, mut client) = play(WebSocketScript::new()).await;
    client.send(&masked(TEXT, r#"{"type":"response.create"}"#)).await;
    soon(server.wait_for_messages(1)).await;
    assert_eq!(server.messages()[0].json().unwrap()["type"], "response.create");
}

#[tokio::test]
async fn gate_waits_while_pings_are_answered_and_messages_recorded() {
    let gate = Gate::new();
    let script = WebSocketScript::new()
        .exchange(Exchange::new().text("before").gate(gate.clone()).text("behind"))
        .exchange(Exchange::new().text("next"));
    let (server, mut client) = play(script).await;
    client.ask("a", &["before"]).await;
    client.expect_pong("1").await;
    client.send(&masked(TEXT, "b")).await;
    soon(server.wait_for_messages(2)).await;
    client.expect_pong("2").await;
    client.expect_silence(&server).await;
    gate.release();
    client.expect(&texts(&["behind", "next"])).await;
    client.expect_pong("3").await;
}

#[tokio::test]
async fn ping_is_answered_while_a_message_waits_for_its_reader() {
    let text = "x".repeat(32 << 20);
    let (server, mut client) = play(WebSocketScript::new().exchange(Exchange::new().text(&text).text("z"))).await;
    client.send(&masked(TEXT, "go")).await;
    soon(server.wait_for_messages(1)).await;
    // The socket's buffers are full long before the end of the text, and the server still listens.
    client.send(&[masked(PING, "early"), masked(TEXT, "more")].concat()).await;
    soon(server.wait_for_messages(2)).await;
    client.expect(&[frame(TEXT, &text), frame(PONG, "early"), frame(TEXT, "z")].concat()).await;
}

#[tokio::test]
async fn pongs_of_the_client_can_be_awaited() {
    let (server, mut client) = play(WebSocketScript::new().exchange(Exchange::new().ping("p"))).await;
    for pongs in 1..=2 {
        client.send(&masked(TEXT, "x")).await;
        client.expect(&frame(PING, "p")).await;
        client.send(&masked(PONG, "p")).await;
        soon(server.wait_for_pongs(pongs)).await;
    }
}

#[tokio::test]
async fn gate_and_pace_of_a_stream_are_for_messages() {
    let gate = Gate::new();
    let response =
        Response::sse("data: 1\n\ndata: 2\n\n").gate(gate.clone()).pace(Pace::Pause(Duration::from_secs(60)));
    let (server, mut client) = open(response).await;
    client.send(&masked(TEXT, "x")).await;
    client.expect_pong("a").await;
    client.expect_silence(&server).await;
    gate.release();
    client.expect(&texts(&["1"])).await;
    gate.release();
    client.expect_silence(&server).await;
    support::pass(Duration::from_secs(60)).await;
    client.expect(&texts(&["2"])).await;
}

#[tokio::test]
async fn stream_serves_both_transports() {
    let (server, mut socket) = open(Response::sse("data: 1\n\n")).await;
    socket.ask("x", &["1"]).await;
    let mut client = Client::post(&server).await;
    client.expect(&[support::SSE_HEAD, b"9\r\ndata: 1\n\n\r\n", support::LAST_CHUNK].concat()).await;
    // Not a handshake, so an event stream; a wrong one is told what is wrong.
    client.send(b"GET / HTTP/1.1\r\n\r\n").await;
    client.expect(&[support::SSE_HEAD, b"9\r\ndata: 1\n\n\r\n", support::LAST_CHUNK].concat()).await;
    client.send(support::websocket::HANDSHAKE.replace("version: 13", "version: 7").as_bytes()).await;
    client.expect(b"HTTP/1.1 426 Upgrade Required\r\n").await;
}

#[tokio::test]
async fn broken_protocol_gets_a_close_that_says_so() {
    let closed = |code: u16| frame(support::websocket::CLOSE, code.to_be_bytes());
    check_input(frame(TEXT, "not masked"), closed(1002)).await;
    check_input(masked(3, ""), closed(1002)).await;
    check_input(masked(BINARY, "x"), closed(1003)).await;
    check_input(masked(TEXT, b"\xff"), closed(1007)).await;
    check_input(announced(MAX_MESSAGE + 1), closed(1009)).await;
}

#[tokio::test]
async fn message_at_the_limit_is_read_on() {
    let (server, mut client) = play(WebSocketScript::new()).await;
    client.send(&announced(MAX_MESSAGE)).await;
    client.expect_silence(&server).await;
}

#[tokio::test]
async fn debug_output_has_no_messages() {
    let script = WebSocketScript::new()
        .greet(["hush"])
        .exchange(Exchange::new().text("hush").frames("hush").close(4000, "hush"));
    let response = Response::websocket(script.clone()).header("x-codex-turn-state", "hush");
    let (server, mut client) = play(WebSocketScript::new()).await;
    client.send(&masked(TEXT, r#"{"client_metadata":{"x-codex-turn-state":"hush"}}"#)).await;
    soon(server.wait_for_messages(1)).await;
    let message = &server.messages()[0];
    assert!(message.text.contains("hush"));
    for debug in [format!("{message:?}"), format!("{message:#?}"), format!("{script:?}"), format!("{response:#?}")] {
        assert!(!debug.contains("hush"), "{debug}");
        // As a list of bytes neither.
        assert!(!debug.contains("104, 117, 115, 104"), "{debug}");
    }
    assert!(format!("{message:?}").contains("text_bytes: 49"), "{message:?}");
}
