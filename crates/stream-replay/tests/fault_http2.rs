//! What a fault script does to clients that speak HTTP/2.

mod support;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use stream_replay::{FaultScript, ReplayServer};
use support::{Client, Ended, soon};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

async fn playing(script: &str) -> ReplayServer {
    ReplayServer::builder().fault(FaultScript::parse(script).unwrap()).start().await.unwrap()
}

/// A client that knows the standard, and how its connection ends.
async fn connect(server: &ReplayServer) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let (client, connection) = soon(client::handshake(stream)).await.unwrap();
    (client, tokio::spawn(connection))
}

/// A POST with this body.
async fn ask(client: &mut SendRequest<Bytes>, body: &[u8]) -> Result<Response<RecvStream>, h2::Error> {
    let request = Request::post("http://service.example/v1/responses").header("x-long", "y".repeat(200)).body(());
    let mut ready = soon(client.clone().ready()).await?;
    let (response, mut stream) = ready.send_request(request.unwrap(), false)?;
    stream.send_data(Bytes::copy_from_slice(body), true)?;
    soon(response).await
}

/// A whole body, or what ended it.
async fn body(mut body: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut whole = Vec::new();
    while let Some(data) = soon(body.data()).await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        whole.extend(data);
    }
    Ok(whole)
}

#[tokio::test]
async fn requests_are_read_and_answered() {
    let script = "h2-preface\nh2-settings max_concurrent_streams=10 4=100000\n\
                  repeat 2\nread-request\n\
                  h2-headers 200 \"content-type: text/event-stream\" \"x-long: \" end-stream\n\
                  end\nread-request\nh2-headers 418\nh2-data \"abc\" \"d\" * 40000\nh2-data \"e\" end-stream\nhold";
    let server = playing(script).await;
    let (mut client, _) = connect(&server).await;
    // More than a window holds, so that it must be kept open.
    let long = vec![b'x'; 200_000];
    for sent in [b"{}".as_slice(), &long] {
        let response = ask(&mut client, sent).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        assert!(response.into_body().is_end_stream());
    }
    let response = ask(&mut client, b"").await.unwrap();
    assert_eq!(response.status(), 418);
    let read = body(response.into_body()).await.unwrap();
    assert_eq!((&read[..4], read.len()), (&b"abcd"[..], 40_004));
    let requests = server.requests();
    let told: Vec<_> = requests.iter().map(|request| (&*request.method, &*request.path, request.body.len())).collect();
    let path = "/v1/responses";
    assert_eq!(told, [("POST", path, 2), ("POST", path, 200_000), ("POST", path, 0)]);
    // The second and third time it comes from the client's table.
    assert!(requests.iter().all(|request| request.header("x-long") == Some(&"y".repeat(200))));
    assert_eq!(requests[0].header(":authority"), Some("service.example"));
}

#[tokio::test]
async fn large_heads_are_continued_and_trailers_end_a_body() {
    let long = "z".repeat(40_000);
    let script = format!(
        "h2-preface\nh2-settings\nread-head\nh2-headers 500 \"a: {long}\"\nh2-data \"b\"\nh2-trailers \"c: d\"\nhold"
    );
    let server = playing(&script).await;
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let mut builder = client::Builder::new();
    builder.max_header_list_size(100_000);
    let (mut client, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let response = ask(&mut client, b"").await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["a"].len()), (500, 40_000));
    let mut stream = response.into_body();
    assert_eq!(soon(stream.data()).await.unwrap().unwrap(), "b");
    assert_eq!(soon(stream.trailers()).await.unwrap().unwrap()["c"], "d");
}

#[tokio::test]
async fn streams_are_reset_and_connections_left() {
    let server = playing("h2-preface\nh2-settings\nread-request\nh2-rst-stream REFUSED_STREAM\nhold").await;
    let (mut client, _) = connect(&server).await;
    let error = ask(&mut client, b"").await.unwrap_err();
    assert_eq!((error.reason(), error.is_reset(), error.is_remote()), (Some(Reason::REFUSED_STREAM), true, true));

    let head = "h2-preface\nh2-settings\nread-request\nh2-headers 200\nh2-data \"a\"\n";
    let server = playing(&format!("{head}h2-rst-stream 2\nhold")).await;
    let (mut client, _) = connect(&server).await;
    let response = ask(&mut client, b"").await.unwrap();
    assert_eq!(body(response.into_body()).await.unwrap_err().reason(), Some(Reason::INTERNAL_ERROR));

    // The request's stream is the last one that counts; what it brings comes all the same.
    let server = playing(&format!("{head}h2-goaway no_error\nh2-data \"b\" end-stream\nhold")).await;
    let (mut client, connection) = connect(&server).await;
    let response = ask(&mut client, b"").await.unwrap();
    assert_eq!(body(response.into_body()).await.unwrap(), b"ab");
    assert!(ask(&mut client, b"").await.unwrap_err().is_go_away());
    drop(client);
    soon(connection).await.unwrap().unwrap();
    soon(server.wait_for_disconnects(1)).await;

    let server = playing(&format!("{head}h2-goaway enhance_your_calm last 0\nhold")).await;
    let (mut client, _) = connect(&server).await;
    let error = body(ask(&mut client, b"").await.unwrap().into_body()).await.unwrap_err();
    assert_eq!((error.reason(), error.is_go_away()), (Some(Reason::ENHANCE_YOUR_CALM), true));
}

#[tokio::test]
async fn pings_are_answered_unless_they_are_not() {
    let server = playing("h2-preface\nh2-settings\nh2-ping\nh2-read ping\nh2-read ping\nh2-ignore-pings\nhold").await;
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let (_client, mut connection) = client::handshake(stream).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(connection);
    // One `ping` is the acknowledgement of the server's own, the other this one.
    soon(pings.ping(h2::Ping::opaque())).await.unwrap();
    let unanswered = pings.ping(h2::Ping::opaque());
    tokio::pin!(unanswered);
    for _ in 0..1_000 {
        tokio::select! {
            biased;
            answer = &mut unanswered => panic!("{answer:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
}

#[tokio::test]
async fn a_request_that_is_taken_back_is_seen() {
    let server = playing("h2-preface\nh2-settings\nread-request\nh2-headers 200\nh2-read rst_stream\nrst").await;
    let (mut client, connection) = connect(&server).await;
    let response = ask(&mut client, b"").await.unwrap();
    drop(response);
    assert!(soon(connection).await.unwrap().unwrap_err().is_io());
}

#[tokio::test]
async fn a_client_that_speaks_something_else_is_told_and_left() {
    let server = playing("h2-preface\nhold").await;
    let mut client = Client::connect(&server).await;
    client.send(b"POST / HTTP/1.1\r\n\r\n").await;
    let goaway = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01".to_vec();
    assert_eq!(client.read_to_end().await, (goaway, Ended::Fin));
    assert!(server.requests().is_empty());
}
