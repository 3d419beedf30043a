//! A server of HTTP/2, frame by frame (RFC 9113).

// Each test file uses its own part of this.
#![allow(dead_code)]

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// `:status: 200`, from the static table (RFC 7541, appendix A).
pub(crate) const OK: &[u8] = &[0x88];

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The reason in a `RST_STREAM`.
    pub(crate) fn reason(&self) -> u32 {
        assert_eq!(self.kind, RST_STREAM, "{self:?}");
        u32::from_be_bytes(self.payload[..].try_into().unwrap())
    }
}

/// The server's end of a connection.
pub(crate) struct Frames<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// Reads the client's preface and sends the server's.
    pub(crate) async fn accept(stream: S) -> Self {
        Self::accept_with(stream, &[]).await
    }

    /// With these settings (RFC 9113, section 6.5.2).
    pub(crate) async fn accept_with(mut stream: S, settings: &[(u16, u32)]) -> Self {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut frames = Self(stream);
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend_from_slice(&name.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        frames.write(SETTINGS, 0, 0, &payload).await;
        frames
    }

    pub(crate) async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend_from_slice(&[kind, flags]);
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    pub(crate) async fn reset(&mut self, stream: u32, reason: u32) {
        self.write(RST_STREAM, 0, stream, &reason.to_be_bytes()).await;
    }

    pub(crate) async fn go_away(&mut self, last: u32, reason: u32) {
        self.write(GOAWAY, 0, 0, &[last.to_be_bytes(), reason.to_be_bytes()].concat()).await;
    }

    /// A whole answer.
    pub(crate) async fn answer(&mut self, stream: u32, body: &str) {
        self.write(HEADERS, END_HEADERS, stream, OK).await;
        self.write(DATA, END_STREAM, stream, body.as_bytes()).await;
    }

    /// The next frame of any kind; `None` at the end of the connection.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame that is about a stream and not about flow.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = self.read().await?;
            match frame.kind {
                SETTINGS if frame.flags & ACK == 0 => self.write(SETTINGS, ACK, 0, &[]).await,
                PING if frame.flags & ACK == 0 => self.write(PING, ACK, 0, &frame.payload).await,
                SETTINGS | PING | WINDOW_UPDATE | GOAWAY => {}
                _ => return Some(frame),
            }
        }
    }

    /// Reads a whole request and tells its stream.
    pub(crate) async fn request(&mut self) -> u32 {
        let mut frame = self.next().await.expect("a request");
        assert_eq!(frame.kind, HEADERS, "{frame:?}");
        while frame.flags & END_STREAM == 0 {
            frame = self.next().await.expect("the rest of a request");
        }
        frame.stream
    }

    /// Waits for the client's going.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.next().await.is_none()
    }
}
