//! The handshake through a real HTTP stack, with raw bytes as the server: the extra cases that concern it.

use std::future::poll_fn;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use ws_codec::io::Connection;
use ws_codec::{ClientHandshake, Config, ServerHandshake};

use crate::support::*;

/// Answers the upgrade with `head`, in which `{accept}` stands for the right key, and one text message behind it.
async fn serve(mut stream: DuplexStream, head: String) -> DuplexStream {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let mut headers = HeaderMap::new();
    for line in String::from_utf8(request).unwrap().lines().skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let granted = ServerHandshake::verify(&Method::GET, Version::HTTP_11, &headers).unwrap().headers();
    let accept = granted["sec-websocket-accept"].to_str().unwrap();
    // The client may have given up meanwhile.
    _ = stream.write_all(head.replace("{accept}", accept).as_bytes()).await;
    _ = stream.write_all(&fin(TEXT, "behind the head")).await;
    stream
}

/// Upgrades over a stream that holds `room` bytes: the first message, or why not.
async fn upgrade(head: &str, room: usize) -> Result<String, String> {
    let (near, far) = tokio::io::duplex(room);
    let server = serve(far, format!("{head}\r\n\r\n"));
    let handshake = ClientHandshake::new([9; 16]);
    let client = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.map_err(|error| error.to_string())?;
        let mut request = Request::get("/v1/responses").body(Empty::<Bytes>::new()).unwrap();
        request.headers_mut().extend(handshake.headers());
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
            let checked = handshake.verify(response.version(), response.status(), response.headers());
            checked.map_err(|error| error.to_string())?;
            hyper::upgrade::on(response).await.map_err(|error| error.to_string())
        };
        let (upgraded, _) = tokio::join!(exchange, connection.with_upgrades());
        let now = Instant::now();
        let mut connection = Connection::new(TokioIo::new(upgraded?), client(), Config::new(), now);
        let message = poll_fn(|cx| connection.poll_message(cx, now)).await.unwrap().unwrap();
        Ok(String::from_utf8(message.as_bytes().to_vec()).unwrap())
    };
    let (outcome, _stream) = tokio::join!(client, server);
    outcome
}

const GOOD: &str =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}";

/// Whether a server that answers so is accepted; `refused` is a part of the reason.
async fn check(name: &str, head: &str, refused: Option<&str>) {
    // One byte at a time is case 22; all at once, with the message in the same segment, case 21.
    for room in [1, 1 << 20] {
        match (upgrade(head, room).await, refused) {
            (Ok(text), None) => assert_eq!(text, "behind the head", "{name}, {room}"),
            (Err(error), Some(part)) if error.contains(part) => {}
            (outcome, _) => panic!("{name}, {room}: {outcome:?} instead of {refused:?}"),
        }
    }
}

#[tokio::test]
async fn handshakes_that_libraries_get_wrong() {
    let add = |line: &str| format!("{GOOD}\r\n{line}");
    check("21 and 22", GOOD, None).await;
    check("16", &GOOD.replace("Connection: Upgrade", "Connection: keep-alive, Upgrade"), None).await;
    check("17", &GOOD.replace("websocket", "WebSocket"), None).await;
    check("18", &GOOD.replace("{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), Some("did not answer the key")).await;
    check("19", &add("Sec-WebSocket-Extensions: permessage-deflate"), Some("extension that was not offered")).await;
    check("20", &add("Sec-WebSocket-Protocol: chat"), Some("subprotocol that was not offered")).await;
    check("26", &add(&format!("X-Large: {}", "x".repeat(1 << 20))), Some("too large")).await;
    let many: Vec<String> = (0..150).map(|n| format!("X-{n}: {n}")).collect();
    check("27", &add(&many.join("\r\n")), Some("too large")).await;
    check("28", &GOOD.replace("HTTP/1.1", "HTTP/1.0"), Some("")).await;
}
