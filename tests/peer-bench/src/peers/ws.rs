//! Readers of WebSocket messages. Each reads a stream to its end and answers what `each` made of the messages.

use std::future::poll_fn;
use std::hint::black_box;
use std::time::Instant;

use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};
use ws_codec::io::Connection;
use ws_codec::{Config, MaskSeed};

/// The least that a reader does: finds the frames in a buffer and checks the text. Small unfragmented ones only.
pub async fn floor(mut stream: impl AsyncRead + Unpin) -> u64 {
    let mut buffer = Vec::with_capacity(128 << 10);
    let mut messages = 0;
    while matches!(stream.read_buf(&mut buffer).await, Ok(read) if read > 0) {
        let mut at = 0;
        while let Some(head) = buffer.get(at..at + 4) {
            let end = at + 4 + usize::from(u16::from_be_bytes([head[2], head[3]]));
            let Some(payload) = buffer.get(at + 4..end) else { break };
            black_box(std::str::from_utf8(payload).ok());
            messages += 1;
            at = end;
        }
        buffer.drain(..at);
    }
    messages
}

/// Ours, polled in place.
pub async fn ours<S>(stream: S, mut each: impl FnMut(&[u8]) -> u64) -> u64
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let role = ws_codec::Role::Client(MaskSeed::new([7; 32]));
    let mut connection = Connection::new(stream, role, Config::new(), Instant::now());
    let mut sum = 0;
    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx, Instant::now())).await {
        sum += each(message.as_bytes());
    }
    sum
}

/// `tokio-tungstenite`, polled in place.
pub async fn tungstenite<S>(stream: S, mut each: impl FnMut(&str) -> u64) -> u64
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let mut sum = 0;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            sum += each(&text);
        }
    }
    sum
}

/// `tokio-tungstenite` in a task that pumps its messages into an unbounded channel.
pub async fn pump<S>(stream: S, mut each: impl FnMut(&str) -> u64) -> u64
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut messages = spawn_pump(stream);
    let mut sum = 0;
    while let Some(text) = messages.recv().await {
        sum += each(&text);
    }
    sum
}

/// The task of [`pump`], and the channel that it fills.
pub fn spawn_pump<S>(stream: S) -> mpsc::UnboundedReceiver<Utf8Bytes>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, messages) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message {
                if sender.send(text).is_err() {
                    return;
                }
            }
        }
    });
    messages
}
