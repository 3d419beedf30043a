//! A client that sees every byte.

// Each test binary uses its own part of this.
#![allow(dead_code, unreachable_pub)]

pub mod websocket;

use std::future::Future;
use std::io;
use std::time::Duration;

use stream_replay::{ReplayServer, ReplayServerBuilder, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const POST: &[u8] = b"POST /v1/responses HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}";
pub const SSE_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A server with these answers.
pub async fn server(responses: impl IntoIterator<Item = Response>) -> ReplayServer {
    let builder = responses.into_iter().fold(ReplayServer::builder(), ReplayServerBuilder::respond);
    builder.start().await.unwrap()
}

/// Turns a hang into a failure. Nothing that passes comes near the limit.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("should happen at once, but hangs")
}

/// Moves the clock; between two calls it runs as always, so that sockets are served without time
/// jumping ahead.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// This many hang-ups were counted, and no more.
pub async fn expect_disconnects(server: &ReplayServer, n: usize) {
    soon(server.wait_for_disconnects(n)).await;
    // The server's turn for all of it has passed when it answers another client.
    let mut other = Client::connect(server).await;
    other.send(b"HEAD / HTTP/1.1\r\n\r\n").await;
    other.read_to_end().await;
    let one_more = server.wait_for_disconnects(n + 1);
    tokio::select! {
        biased;
        () = one_more => panic!("more than {n}"),
        () = std::future::ready(()) => {}
    }
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Fin,
    Reset,
}

pub struct Client {
    pub stream: TcpStream,
}

impl Client {
    pub async fn connect(server: &ReplayServer) -> Self {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Connects and sends one POST.
    pub async fn post(server: &ReplayServer) -> Self {
        let mut client = Self::connect(server).await;
        client.send(POST).await;
        client
    }

    /// Reads exactly as many bytes as `expected` has, which must be these.
    pub async fn expect(&mut self, expected: &[u8]) {
        let mut read = Vec::new();
        while read.len() < expected.len() && expected.starts_with(&read) {
            let mut limited = (&mut self.stream).take((expected.len() - read.len()) as u64);
            match soon(limited.read_buf(&mut read)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        assert_eq!(read.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    /// Reads until the connection ends: all bytes, and how it ended.
    pub async fn read_to_end(&mut self) -> (Vec<u8>, Ended) {
        let mut read = Vec::new();
        match soon(self.stream.read_to_end(&mut read)).await {
            Ok(_) => (read, Ended::Fin),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => (read, Ended::Reset),
            Err(error) => panic!("{error}"),
        }
    }

    /// Nothing further comes and the connection stays open. The server has had its turn to send: it
    /// answered another client meanwhile, on the same thread (a refused request, which uses up no
    /// response).
    pub async fn expect_silence(&mut self, server: &ReplayServer) {
        let mut other = Self::connect(server).await;
        other.send(b"HEAD / HTTP/1.1\r\n\r\n").await;
        other.read_to_end().await;
        let mut read = [0; 256];
        match self.stream.try_read(&mut read) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(length) => panic!("not silent: {:?}", read[..length].escape_ascii().to_string()),
            Err(error) => panic!("not open: {error}"),
        }
    }
}
