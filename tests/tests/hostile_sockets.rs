//! What a service can do to a client over a WebSocket beyond the rows of `docs/faults.md`: frames, closes and
//! handshakes that are barely what they should be, or just not.

mod support;

use std::{io, time::Duration};

use codex_api::FailureKind::{Api, Closed, Connect, Protocol, Timeout, TooLarge, Truncated};
use codex_api::{Error, FailureKind, RetryPolicy, Timeouts, Transport, TurnEvent};
use stream_replay::{Cut, Exchange, FaultScript, Response, WebSocketScript};
use support::faults::{Bound, COMPLETED, TEXT};
use support::sockets::{fallbacks, request, session, stream};
use support::{drain, impatient, in_memory::accept_socket, playing, soon};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::TcpListener,
};

const TEXT_FRAME: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A frame with this first byte; it is not masked.
fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let length = u8::try_from(payload.len()).unwrap();
    let head = if length < 126 { vec![first, length] } else { vec![first, 126, 0, length] };
    [&head, payload].concat()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, [&code.to_be_bytes(), reason].concat())
}

/// A socket that answers each request with these bytes, and stays open.
fn sending(bytes: impl Into<Vec<u8>>) -> Response {
    Response::websocket(WebSocketScript::new().exchange(Exchange::new().frames(bytes.into())))
}

/// The text of an answer, or the error.
async fn outcome(server: &stream_replay::ReplayServer, transport: Transport) -> (String, usize, Option<Error>) {
    let (events, error) = soon(drain(session(server, transport).begin_turn().stream(request()))).await;
    let begun = events.iter().rposition(|event| matches!(event, TurnEvent::Request(_))).unwrap_or_default();
    let text = events[begun..].iter().filter_map(|event| match event {
        TurnEvent::TextDelta(delta) => Some(delta.text.as_str()),
        _ => None,
    });
    (text.collect(), fallbacks(&events), error)
}

/// A failure: so many attempts over a socket that is pinned, and as many over one that is not, before it falls back
/// (if it does).
async fn check(name: &str, response: Response, bound: Bound, failure: (FailureKind, u32, &str)) {
    let (kind, attempts, message) = failure;
    let server = playing([response.clone()]).await;
    let (_, _, error) = outcome(&server, Transport::WebSocket).await;
    let error = error.unwrap_or_else(|| panic!("{name}: an answer"));
    assert_eq!((error.kind(), error.attempts()), (kind, attempts), "{name}: {error:?}");
    assert_eq!(error.is_retryable(), attempts > 1, "{name}: {error:?}");
    assert!(error.message().contains(message), "{name}: {error:?}");
    support::assert_portable(&error);
    assert_eq!(server.requests().len() as u32, attempts, "{name}");
    if bound == Bound::LetsGo {
        soon(server.wait_for_disconnects(server.requests().len())).await;
    }

    let server = playing([response.clone(), response, stream()]).await;
    let (_, fallbacks, error) = outcome(&server, Transport::Auto).await;
    if attempts == 1 {
        assert_eq!((error.map(|error| error.kind()), fallbacks), (Some(kind), 0), "{name}");
    } else {
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(server.requests()[2].method, if fallbacks == 1 { "POST" } else { "GET" }, "{name}");
    }
}

#[tokio::test]
async fn messages_may_come_in_any_pieces() {
    let (text, end) = (TEXT.as_bytes(), COMPLETED.as_bytes());
    let inside = TEXT.find('é').unwrap() + 1;
    let end_frame = || frame(TEXT_FRAME, end);
    for (name, frames, expected) in [
        (
            "fragments with pings and pongs between",
            vec![
                frame(0x01, &text[..20]),
                frame(PING, "p"),
                frame(0x00, &text[20..30]),
                frame(PONG, "nobody asked"),
                frame(0x80, &text[30..]),
                end_frame(),
            ],
            "Hé",
        ),
        ("half a character each", vec![frame(0x01, &text[..inside]), frame(0x80, &text[inside..]), end_frame()], "Hé"),
        ("empty fragments", vec![frame(0x01, ""), frame(0x00, ""), frame(0x80, end)], ""),
        ("an empty message", vec![frame(TEXT_FRAME, ""), end_frame()], ""),
        ("a blank message", vec![frame(TEXT_FRAME, " \n"), end_frame()], ""),
        ("no JSON", vec![frame(TEXT_FRAME, "<html>"), frame(TEXT_FRAME, "null"), end_frame()], ""),
        ("two events in a message", vec![frame(TEXT_FRAME, format!("{TEXT}\n{COMPLETED}"))], "Hé"),
        ("an end, then a close", vec![end_frame(), close(1011, b"")], ""),
        ("an end, then rubbish", vec![end_frame(), vec![0xff; 3]], ""),
    ] {
        let server = playing([sending(frames.concat())]).await;
        let (text, _, error) = outcome(&server, Transport::WebSocket).await;
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!((text.as_str(), server.requests().len()), (expected, 1), "{name}");
    }
}

#[tokio::test]
async fn frames_that_break_the_protocol_are_asked_for_once_more() {
    let broke = |name, frame, what| (name, frame, format!("the peer broke the protocol: {what}"));
    for (name, frame, message) in [
        ("binary", frame(0x82, COMPLETED), "the peer sent a binary message".to_owned()),
        ("no UTF-8", frame(TEXT_FRAME, b"\xc3\x28"), "the peer sent text that is not UTF-8".to_owned()),
        ("a reason that is no UTF-8", close(1000, b"\xc3\x28"), "the peer sent text that is not UTF-8".to_owned()),
        broke("masked", vec![TEXT_FRAME, 0x81, 0, 0, 0, 0, b'x'], "the server masked a frame"),
        broke("a reserved opcode", frame(0x83, "x"), "opcode 3 is reserved"),
        broke("a reserved opcode of control", frame(0x8b, "x"), "opcode 11 is reserved"),
        broke("compressed", frame(0xc1, COMPLETED), "a reserved bit is set"),
        broke("a reserved bit of a ping", frame(0xa9, ""), "a reserved bit is set"),
        broke("a long ping", frame(PING, [0; 126]), "a control frame is longer than 125 bytes"),
        broke("half a ping", frame(0x09, "x"), "a control frame is fragmented"),
        broke("the rest of nothing", frame(0x80, "x"), "there is no message to continue"),
        broke("two at once", [frame(0x01, "{"), frame(TEXT_FRAME, COMPLETED)].concat(), "a message began before"),
        broke("a negative length", b"\x81\x7f\x80\0\0\0\0\0\0\0".to_vec(), "a length is out of range"),
        broke(
            "a length in more bytes than it needs",
            b"\x81\x7e\0\x01x".to_vec(),
            "a length is not in its shortest form",
        ),
        broke("half a code", frame(CLOSE, "\u{3}"), "a close frame has one byte"),
        broke("1005 on the wire", close(1005, b""), "close code 1005 may not be sent"),
        broke("1006 on the wire", close(1006, b""), "close code 1006 may not be sent"),
        broke("1015 on the wire", close(1015, b""), "close code 1015 may not be sent"),
        broke("no code", close(0, b""), "close code 0 may not be sent"),
        broke("a code that nobody has", close(5000, b""), "close code 5000 may not be sent"),
    ] {
        check(name, sending(frame), Bound::LetsGo, (Protocol, 2, &message)).await;
    }
}

#[tokio::test]
async fn frames_beyond_the_limit_are_not_waited_for() {
    for length in [1_u64 << 40, (32 << 20) + 1] {
        let frame = [&[TEXT_FRAME, 0x7f][..], &length.to_be_bytes()].concat();
        let message = format!("a message of {length} bytes is larger than the limit of 33554432 bytes");
        check("too large", sending(frame), Bound::LetsGo, (TooLarge, 1, &message)).await;
    }
}

#[tokio::test]
async fn ends_without_a_word_are_cuts() {
    let cut = |exchange: Exchange, cut| Response::websocket(WebSocketScript::new().exchange(exchange.cut(cut)));
    let closed = "the WebSocket was closed before the answer was whole";
    let end = [close(1000, b""), frame(TEXT_FRAME, COMPLETED)].concat();
    for (name, response, message) in [
        ("no code", sending(frame(CLOSE, "")), "(code 1005)"),
        ("1012 without a reason", sending(close(1012, b"")), "(code 1012)"),
        ("1013 without a reason", sending(close(1013, b"")), "(code 1013)"),
        ("an end behind the close", sending(end), closed),
        ("half a frame", cut(Exchange::new().frames(b"\x81\x20{".to_vec()), Cut::Close), "ended without a close"),
        ("reset", cut(Exchange::new().text(TEXT), Cut::Reset), "connection reset"),
    ] {
        check(name, response, Bound::Ended, (Closed, 9, message)).await;
    }
    let sentinel = sending([frame(TEXT_FRAME, TEXT), frame(TEXT_FRAME, "[DONE]")].concat());
    check("a sentinel", sentinel, Bound::LetsGo, (Truncated, 9, "sentinel before a terminal event")).await;
    let whole = cut(Exchange::new().text(COMPLETED), Cut::Close);
    let (_, _, error) = outcome(&playing([whole]).await, Transport::WebSocket).await;
    assert!(error.is_none(), "{error:?}");
}

#[tokio::test]
async fn handshakes_that_are_none_are_asked_for_once_more() {
    let granted = |name: &str, value: &str| Response::websocket(WebSocketScript::new()).header(name, value);
    let script = |script: &str| Response::fault(FaultScript::parse(script).unwrap());
    let upgrade = "upgrade: websocket\\r\\nconnection: upgrade\\r\\n";
    for (name, response, message) in [
        ("another key", granted("sec-websocket-accept", "odd"), "did not answer the key"),
        ("another protocol", granted("upgrade", "h2c"), "does not upgrade to websocket"),
        ("no upgrade", granted("connection", "close"), "does not upgrade its connection"),
        ("an extension", granted("sec-websocket-extensions", "permessage-deflate"), "chose an extension"),
        ("a subprotocol", granted("sec-websocket-protocol", &"y".repeat(10_000)), "chose a subprotocol"),
        ("a bare switch", script("send \"HTTP/1.1 101 x\\r\\n\\r\\n\"\nhold"), "does not upgrade to websocket"),
        ("a bare switch, cut", script("send \"HTTP/1.1 101 x\\r\\n\\r\\n\"\nfin"), "does not upgrade to websocket"),
        ("no key", script(&format!("send \"HTTP/1.1 101 x\\r\\n{upgrade}\\r\\n\"\nfin")), "did not answer the key"),
        ("HTTP/1.0", script(&format!("send \"HTTP/1.0 101 x\\r\\n{upgrade}\\r\\n\"\nfin")), "is HTTP/1.0 instead of"),
        ("no HTTP", script("send \"SSH-2.0\\r\\n\"\nhold"), "did not answer with valid HTTP"),
    ] {
        check(name, response, Bound::Ended, (Protocol, 2, message)).await;
    }
    let closed = "closed the connection before it answered";
    check("no answer", script("fin"), Bound::Ended, (Connect, 9, closed)).await;
    check("half an answer", script("send \"HTTP/1.1 101\"\nfin"), Bound::Ended, (Connect, 9, closed)).await;
    let refusal = Response::json(401, r#"{"error":{"message":"Who?"}}"#);
    check("refused for who asks", refusal, Bound::Ended, (Api, 1, "Who?")).await;
}

/// Grants a WebSocket, and sends `begin` and then `flood` again and again, as fast as it is read.
async fn flooding(listener: TcpListener, begin: Vec<u8>, flood: Vec<u8>) -> io::Result<()> {
    let (stream, _) = listener.accept().await?;
    let (mut reader, mut writer) = accept_socket(BufReader::new(stream)).await?.into_inner().into_split();
    tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
    writer.write_all(&begin).await?;
    loop {
        writer.write_all(&flood).await?;
    }
}

/// Nothing but signs of life: there is never a moment in which nothing is to be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_does_not_outrun_the_deadlines() {
    let limit = Some(Duration::from_millis(1));
    let events = Timeouts { first_event: limit, progress: limit, ..Timeouts::default() };
    let turn = Timeouts { turn: Some(Duration::from_millis(50)), ..Timeouts::default() };
    let keepalive = r#"{"type":"keepalive"}"#;
    for (name, begin, flood) in [
        ("pings", vec![], frame(PING, "p")),
        ("pongs", vec![], frame(PONG, "")),
        ("empty messages", vec![], frame(TEXT_FRAME, "")),
        ("blank messages", vec![], frame(TEXT_FRAME, " ")),
        ("empty fragments", vec![], [frame(0x01, ""), frame(0x80, "")].concat()),
        ("keepalives", vec![], frame(TEXT_FRAME, keepalive)),
        ("pings behind text", frame(TEXT_FRAME, TEXT), frame(PING, "")),
        ("keepalives behind text", frame(TEXT_FRAME, TEXT), frame(TEXT_FRAME, keepalive)),
    ] {
        for timeouts in [events, turn] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = impatient(&format!("http://{}/v1", listener.local_addr().unwrap()));
            let client = client.timeouts(timeouts).retry(RetryPolicy::new().with_max_attempts(1));
            let client = client.transport(Transport::WebSocket).build().unwrap();
            let served = tokio::spawn(flooding(listener, begin.clone(), flood.repeat(10_000)));
            let (_, error) = soon(drain(client.session().begin_turn().stream(request()))).await;
            let error = error.expect("a failure");
            assert_eq!(error.kind(), Timeout, "{name}: {error:?}");
            // The socket is let go.
            assert!(soon(served).await.unwrap().is_err(), "{name}");
        }
    }
}

/// Behind a whole answer, when nobody uses the socket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_over_a_parked_socket_ends_it() {
    for (name, flood) in [
        ("pings", frame(PING, "p")),
        ("pongs", frame(PONG, "")),
        ("keepalives", frame(TEXT_FRAME, r#"{"type":"keepalive"}"#)),
        ("a message without end", frame(0x00, [b' '; 100])),
    ] {
        let mut begin = frame(TEXT_FRAME, COMPLETED);
        if name == "a message without end" {
            begin.extend(frame(0x01, "{"));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = impatient(&format!("http://{}/v1", listener.local_addr().unwrap()));
        let session = client.transport(Transport::WebSocket).build().unwrap().session();
        let served = tokio::spawn(flooding(listener, begin, flood.repeat(10_000)));
        let (_, error) = soon(drain(session.begin_turn().stream(request()))).await;
        assert!(error.is_none(), "{name}: {error:?}");
        assert!(soon(served).await.unwrap().is_err(), "{name}");
    }
}
