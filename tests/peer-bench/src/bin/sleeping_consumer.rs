//! `cargo xtask bench memory`: what a consumer holds in memory that sleeps while its server sends as fast as it can.

use std::error::Error;
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use codex_api::{Client, Provider, Request, Transport, TurnEvent};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};
use peer_bench::{peers, traffic};
use ws_codec::io::Connection;
use ws_codec::{Config, Limits, MaskSeed, Role, ServerHandshake};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the server does before it sends.
#[derive(Debug, Clone, Copy)]
enum Opening {
    /// Nothing: the stream is taken for a WebSocket from its first byte on.
    None,
    /// It answers an upgrade, and waits for the first message.
    Upgrade,
    /// It answers a request with an event stream.
    EventStream,
}

/// A consumer that takes one message and then sleeps.
struct Consumer {
    name: &'static str,
    opening: Opening,
    run: fn(&tokio::runtime::Runtime, SocketAddr, Duration) -> Result<()>,
    /// Whether the limit holds for it.
    is_ours: bool,
}

const CONSUMERS: &[Consumer] = &[
    Consumer { name: "ws-codec", opening: Opening::None, run: ws_codec_in_place, is_ours: true },
    Consumer { name: "codex-api, WebSocket", opening: Opening::Upgrade, run: codex_api_websocket, is_ours: true },
    Consumer { name: "codex-api, SSE", opening: Opening::EventStream, run: codex_api_sse, is_ours: true },
    Consumer { name: "tungstenite in a pump task", opening: Opening::None, run: tungstenite_pump, is_ours: false },
];

/// 2 x the largest message + 1 MiB.
const LIMIT: u64 = 2 * Limits::new().get_max_message_bytes() as u64 + (1 << 20);

/// Messages or events in a block, and how many blocks the server has to send.
const BLOCK: usize = 1000;
const BLOCKS: usize = 1000;

fn main() -> ExitCode {
    let is_quick = std::env::args().any(|word| word == "--quick");
    let sleep = Duration::from_secs(if is_quick { 1 } else { 5 });
    println!("| consumer, asleep for {} s | peak heap, KiB | sent by the server, KiB |", sleep.as_secs());
    println!("| --- | ---: | ---: |");
    let mut worst = 0;
    for consumer in CONSUMERS {
        match peak(consumer, sleep) {
            Ok((peak, sent)) => {
                println!("| {} | {} | {} |", consumer.name, peak >> 10, sent >> 10);
                worst = if consumer.is_ours { worst.max(peak) } else { worst };
            }
            Err(error) => {
                eprintln!("error: {}: {error}", consumer.name);
                return ExitCode::FAILURE;
            }
        }
    }
    let verdict = if worst <= LIMIT { "reached" } else { "behind" };
    println!("\nours at most {} KiB (2 x the largest message + 1 MiB): {verdict}", LIMIT >> 10);
    if worst <= LIMIT { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The largest size of the consumer's heap, and how many bytes its server got rid of.
fn peak(consumer: &Consumer, sleep: Duration) -> Result<(u64, usize)> {
    let (address, server) = serve(consumer.opening)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcome = Ok(());
    // Allocations of this thread only; the server has its own.
    let info = allocation_counter::measure(|| outcome = (consumer.run)(&runtime, address, sleep));
    outcome?;
    drop(runtime);
    let sent = server.join().map_err(|_| "the server panicked")??;
    Ok((info.bytes_max, sent))
}

fn ws_codec_in_place(runtime: &tokio::runtime::Runtime, server: SocketAddr, sleep: Duration) -> Result<()> {
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(server).await?;
        let role = Role::Client(MaskSeed::new([7; 32]));
        let mut connection = Connection::new(stream, role, Config::new(), Instant::now());
        for _ in 0..BLOCK {
            poll_fn(|cx| connection.poll_message(cx, Instant::now())).await.ok_or("no message")??;
        }
        tokio::time::sleep(sleep).await;
        Ok(())
    })
}

fn codex_api_websocket(runtime: &tokio::runtime::Runtime, server: SocketAddr, sleep: Duration) -> Result<()> {
    runtime.block_on(codex_api(server, sleep, Transport::WebSocket))
}

fn codex_api_sse(runtime: &tokio::runtime::Runtime, server: SocketAddr, sleep: Duration) -> Result<()> {
    runtime.block_on(codex_api(server, sleep, Transport::Sse))
}

async fn codex_api(server: SocketAddr, sleep: Duration, transport: Transport) -> Result<()> {
    let client = Client::builder(Provider::new(&format!("http://{server}/v1"))?).transport(transport).build()?;
    let mut events = client.session().begin_turn().stream(Request::new("gpt-5").user("Say much"));
    let mut deltas = 0;
    while deltas < BLOCK {
        let event = events.try_next().await?.ok_or("no delta")?;
        deltas += usize::from(matches!(event, TurnEvent::TextDelta(_)));
    }
    tokio::time::sleep(sleep).await;
    Ok(())
}

fn tungstenite_pump(runtime: &tokio::runtime::Runtime, server: SocketAddr, sleep: Duration) -> Result<()> {
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(server).await?;
        let mut messages = peers::ws::spawn_pump(stream);
        for _ in 0..BLOCK {
            messages.recv().await.ok_or("no message")?;
        }
        tokio::time::sleep(sleep).await;
        Ok(())
    })
}

/// A server of one connection on a thread of its own. It sends until all is sent or the client has gone, and answers
/// how many bytes that were.
fn serve(opening: Opening) -> Result<(SocketAddr, JoinHandle<std::result::Result<usize, String>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().map_err(|error| error.to_string())?;
        open(&mut stream, opening).map_err(|error| error.to_string())?;
        let block = match opening {
            Opening::EventStream => traffic::deltas(BLOCK),
            Opening::None | Opening::Upgrade => traffic::messages(BLOCK),
        };
        let mut sent = 0;
        for _ in 0..BLOCKS {
            let mut rest = &block[..];
            while !rest.is_empty() {
                let Ok(written) = stream.write(rest) else { return Ok(sent) };
                rest = &rest[written..];
                sent += written;
            }
        }
        Ok(sent)
    });
    Ok((address, server))
}

fn open(stream: &mut TcpStream, opening: Opening) -> Result<()> {
    let answer = match opening {
        Opening::None => return Ok(()),
        Opening::Upgrade => {
            let handshake = ServerHandshake::verify(&Method::GET, Version::HTTP_11, &read_head(stream)?)?;
            let mut answer = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
            for (name, value) in &handshake.headers() {
                answer.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
            }
            answer.extend_from_slice(b"\r\n");
            answer
        }
        Opening::EventStream => {
            read_head(stream)?;
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".to_vec()
        }
    };
    stream.write_all(&answer)?;
    if let Opening::Upgrade = opening {
        // The request, or the beginning of it.
        _ = stream.read(&mut [0; 4096])?;
    }
    Ok(())
}

fn read_head(stream: &mut TcpStream) -> Result<HeaderMap> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let mut headers = HeaderMap::new();
    for line in std::str::from_utf8(&head)?.lines().skip(1) {
        if let Some((name, value)) = line.split_once(':') {
            headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value.trim())?);
        }
    }
    Ok(headers)
}
