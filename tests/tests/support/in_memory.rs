//! Services without a socket: with the runtime's clock paused, time passes only while everybody waits.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use codex_api::connector::{self, Connector};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, duplex},
    time::sleep,
};

/// What is said on every connection, once something was heard on it: a text, and another one again and again. Then
/// nothing more comes, and the connection stays open.
#[derive(Clone)]
pub(crate) struct Service {
    says: Vec<u8>,
    again: Option<(Duration, Vec<u8>)>,
    by_method: Vec<(&'static str, Service)>,
    /// The methods of the requests, in order.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(crate) fn new(says: impl AsRef<[u8]>) -> Self {
        Self { says: says.as_ref().to_vec(), again: None, by_method: Vec::new(), requests: Arc::default() }
    }

    /// Each method has a service of its own.
    pub(crate) fn by_method(services: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self { by_method: services.into_iter().collect(), ..Self::new("") }
    }

    /// And then this after each pause.
    pub(crate) fn again(self, pause: Duration, says: impl AsRef<[u8]>) -> Self {
        Self { again: Some((pause, says.as_ref().to_vec())), ..self }
    }

    pub(crate) fn connector(&self) -> impl Connector + use<> {
        let service = self.clone();
        connector::from_fn(move |_| {
            let near = service.connect();
            async move { Ok::<_, io::Error>(near) }
        })
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> DuplexStream {
        let (near, far) = duplex(64 * 1024);
        // It ends with the test, or with what it writes to.
        tokio::spawn(self.clone().serve(far));
        near
    }

    async fn serve(self, mut stream: DuplexStream) -> io::Result<()> {
        let mut heard = [0; 4096];
        let length = stream.read(&mut heard).await?;
        let heard = String::from_utf8_lossy(&heard[..length]);
        let method = heard.split(' ').next().unwrap_or_default();
        self.requests.lock().unwrap().push(method.to_owned());
        let chosen = self.by_method.iter().find(|(name, _)| *name == method);
        let service = chosen.map_or(&self, |(_, service)| service);
        stream.write_all(&service.says).await?;
        while let Some((pause, says)) = &service.again {
            sleep(*pause).await;
            stream.write_all(says).await?;
        }
        std::future::pending().await
    }
}

/// Reads the handshake of a WebSocket, and grants it.
pub(crate) async fn accept_socket<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
) -> io::Result<BufReader<S>> {
    let mut headers = http::HeaderMap::new();
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).await?;
        if let Some((name, value)) = line.trim().split_once(": ") {
            let name = http::HeaderName::try_from(name).map_err(io::Error::other)?;
            headers.insert(name, value.parse().map_err(io::Error::other)?);
        }
    }
    let handshake = ws_codec::ServerHandshake::verify(&http::Method::GET, http::Version::HTTP_11, &headers);
    let mut head = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    for (name, value) in &handshake.map_err(io::Error::other)?.headers() {
        head.extend([name.as_str(), ": ", value.to_str().map_err(io::Error::other)?, "\r\n"]);
    }
    stream.write_all((head + "\r\n").as_bytes()).await?;
    Ok(stream)
}
