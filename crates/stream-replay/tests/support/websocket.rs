//! Handshakes and frames by hand, and a client that is past its handshake.

use stream_replay::{ReplayServer, Response, WebSocketScript};

use super::{Client, server};

/// With the key of the example in RFC 6455 §1.3.
pub const HANDSHAKE: &str = "GET /v1/responses HTTP/1.1\r\nhost: test\r\nconnection: keep-alive, Upgrade\r\n\
                             upgrade: WebSocket\r\nsec-websocket-version: 13\r\n\
                             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
pub const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                            sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// A whole frame, as a server sends it.
pub fn frame(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    [&header(opcode, payload.as_ref().len(), 0)[..], payload.as_ref()].concat()
}

/// A whole frame, as a client sends it.
pub fn masked(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let key = [0x9f, 0x02, 0xc4, 0x71];
    let payload = payload.as_ref();
    let hidden: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    [&header(opcode, payload.len(), 0x80)[..], &key, &hidden].concat()
}

fn header(opcode: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut header = vec![0x80 | opcode];
    match length {
        0..=125 => header.push(mask | length as u8),
        126..=0xffff => {
            header.push(mask | 0x7e);
            header.extend((length as u16).to_be_bytes());
        }
        _ => {
            header.push(mask | 0x7f);
            header.extend((length as u64).to_be_bytes());
        }
    }
    header
}

/// Texts as a server sends them.
pub fn texts(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| frame(TEXT, text)).collect()
}

/// The payload of a Close frame.
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_bytes()].concat()
}

/// A server whose every answer is this one, and a client past its handshake.
pub async fn open(response: Response) -> (ReplayServer, Client) {
    let server = server([response]).await;
    let client = Client::upgrade(&server).await;
    (server, client)
}

/// As [`open`], with a script.
pub async fn play(script: WebSocketScript) -> (ReplayServer, Client) {
    open(Response::websocket(script)).await
}

impl Client {
    pub async fn upgrade(server: &ReplayServer) -> Self {
        let mut client = Self::connect(server).await;
        client.send(HANDSHAKE.as_bytes()).await;
        client.expect(SWITCHED.as_bytes()).await;
        client
    }

    /// Says this and hears exactly that; the silence behind it is looked at by the next `expect`.
    pub async fn ask(&mut self, text: &str, expected: &[&str]) {
        self.send(&masked(TEXT, text)).await;
        self.expect(&texts(expected)).await;
    }

    /// A ping is answered, and nothing is sent before its answer.
    pub async fn expect_pong(&mut self, payload: &str) {
        self.send(&masked(PING, payload)).await;
        self.expect(&frame(PONG, payload)).await;
    }
}
