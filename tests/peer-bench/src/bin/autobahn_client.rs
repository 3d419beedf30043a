//! The client under test of `cargo xtask conformance`: `ws-codec` against a fuzzing server of the Autobahn suite.
//! It echoes what it gets; the server is the judge.
//!
//! `autobahn-client HOST:PORT AGENT`

use std::error::Error;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll};
use std::time::Instant;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use ws_codec::io::Connection;
use ws_codec::{Binary, ClientHandshake, Config, Limits, MaskSeed, Role};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Heads of the suite have some hundred bytes.
const MAX_HEAD: usize = 8 << 10;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [server, agent] = words.as_slice() else {
        eprintln!("usage: autobahn-client HOST:PORT AGENT");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(server, agent)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(server: &str, agent: &str) -> Result<()> {
    let count = case_count(server).await?;
    for case in 1..=count {
        let mut connection = open(server, &format!("/runCase?case={case}&agent={agent}")).await?;
        // How a case ends is the server's to judge.
        _ = echo(&mut connection).await;
        _ = drive(&mut connection, Connection::poll_close).await;
    }
    let mut connection = open(server, &format!("/updateReports?agent={agent}")).await?;
    // The server closes when its reports are written.
    _ = drive(&mut connection, Connection::poll_message).await;
    Ok(())
}

async fn case_count(server: &str) -> Result<usize> {
    let mut connection = open(server, "/getCaseCount").await?;
    let message = drive(&mut connection, Connection::poll_message).await.ok_or("no case count")??;
    Ok(std::str::from_utf8(message.as_bytes())?.trim().parse()?)
}

/// Sends back each message until the connection ends.
async fn echo(connection: &mut Connection<TcpStream>) -> Result<()> {
    while let Some(message) = drive(connection, Connection::poll_message).await {
        // The echo before is flushed, so there is nothing to wait for; what the server does next may be a failure.
        connection.start_send(message?)?;
        drive(connection, Connection::poll_flush).await?;
    }
    Ok(())
}

/// Polls when the socket wakes the task, and when the connection's timers are due.
async fn drive<T>(
    connection: &mut Connection<TcpStream>,
    mut poll: impl FnMut(&mut Connection<TcpStream>, &mut Context<'_>, Instant) -> Poll<T>,
) -> T {
    loop {
        let due = connection.poll_timeout().map(Into::into);
        let mut timer = pin!(async {
            match due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        });
        let answer = poll_fn(|cx| match poll(connection, cx, Instant::now()) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            // Timers may have moved: an early round is harmless.
            Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
        })
        .await;
        if let Some(answer) = answer {
            return answer;
        }
    }
}

async fn open(server: &str, path: &str) -> Result<Connection<TcpStream>> {
    let handshake = ClientHandshake::new(entropy()?);
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\n").into_bytes();
    for (name, value) in &handshake.headers() {
        request.extend_from_slice(name.as_str().as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;

    let mut bytes = Vec::new();
    let head_len = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > MAX_HEAD || stream.read_buf(&mut bytes).await? == 0 {
            return Err("the server's head has no end".into());
        }
    };
    let (status, headers) = parse_head(std::str::from_utf8(&bytes[..head_len])?)?;
    handshake.verify(Version::HTTP_11, status, &headers)?;
    let role = Role::Client(MaskSeed::new(entropy()?));
    // Echoes of the suite have up to 16 MiB, one byte more than services take.
    let limits = Limits::new().max_outgoing_bytes(Limits::CEILING);
    let config = Config::new().binary(Binary::Accept).limits(limits);
    let now = Instant::now();
    Ok(Connection::new(stream, role, config, now).with_leftover(&bytes[head_len..], now))
}

/// The status line and the fields of a head as simple as the suite's.
fn parse_head(head: &str) -> Result<(StatusCode, HeaderMap)> {
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).ok_or("no status")?;
    let mut headers = HeaderMap::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or("a header field without a colon")?;
        headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value.trim())?);
    }
    Ok((status.parse()?, headers))
}

fn entropy<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
