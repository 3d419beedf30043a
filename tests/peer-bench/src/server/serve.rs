//! The server's side, in a process of its own: one thread, bytes made before, nothing kept.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Result;
use super::script::{BEAT, BLOCK, Bytes, LAST_CHUNK, LATE, Script};
use super::serve_h2;

/// What the connections share.
pub(super) struct Shared {
    pub(super) bytes: Bytes,
    /// Connections that brought a request for a model.
    connections: AtomicU64,
    /// When clients left idle streams: the name of the stream, and nanoseconds of the Unix time.
    ends: Mutex<Vec<(String, u128)>>,
}

impl Shared {
    /// A client has left an idle stream.
    pub(super) fn note_end(&self, name: String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).push((name, now.as_nanos()));
    }
}

/// Serves until the parent closes the standard input.
pub(super) fn serve() -> Result<()> {
    std::thread::spawn(|| {
        _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(listen())
}

async fn listen() -> Result<()> {
    let (certificate, mut config) = tls()?;
    let tls = TlsAcceptor::from(Arc::new(config.clone()));
    config.alpn_protocols.push(b"h2".to_vec());
    let h2 = TlsAcceptor::from(Arc::new(config));
    let plain = TcpListener::bind("127.0.0.1:0").await?;
    let secure = TcpListener::bind("127.0.0.1:0").await?;
    let second = TcpListener::bind("127.0.0.1:0").await?;
    // The parent reads this line.
    let hex = certificate.iter().fold(String::new(), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    });
    let [plain_port, tls_port, h2_port] =
        [plain.local_addr()?, secure.local_addr()?, second.local_addr()?].map(|at| at.port());
    println!("{plain_port} {tls_port} {h2_port} {hex}");
    io::stdout().flush()?;

    let shared = Arc::new(Shared { bytes: Bytes::new(), connections: AtomicU64::new(0), ends: Mutex::default() });
    let (for_tls, for_h2) = (Arc::clone(&shared), Arc::clone(&shared));
    tokio::spawn(async move {
        while let Ok((stream, _)) = secure.accept().await {
            let (tls, shared) = (tls.clone(), Arc::clone(&for_tls));
            tokio::spawn(async move {
                if let Ok(stream) = tls.accept(nodelay(stream)).await {
                    _ = connection(stream, &shared).await;
                }
            });
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = second.accept().await {
            let (h2, shared) = (h2.clone(), Arc::clone(&for_h2));
            tokio::spawn(async move {
                if let Ok(stream) = h2.accept(nodelay(stream)).await {
                    _ = serve_h2::connection(stream, &shared).await;
                }
            });
        }
    });
    loop {
        let (stream, _) = plain.accept().await?;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { connection(nodelay(stream), &shared).await });
    }
}

fn nodelay(stream: TcpStream) -> TcpStream {
    _ = stream.set_nodelay(true);
    stream
}

fn tls() -> Result<(Vec<u8>, rustls::ServerConfig)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())?;
    Ok((certificate.to_vec(), config))
}

/// A request, as far as it matters.
struct Asked {
    path: String,
    /// The `model`, which names a stream.
    model: String,
}

async fn connection(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut is_known = false;
    while let Some(asked) = request(&mut stream, &mut buffer).await? {
        match asked.path.as_str() {
            "/connections" => report(&mut stream, &shared.connections.load(Relaxed).to_string()).await?,
            "/ends" => {
                let ends = std::mem::take(&mut *shared.ends.lock().unwrap_or_else(PoisonError::into_inner));
                let lines: Vec<String> = ends.into_iter().map(|(name, at)| format!("{name} {at}")).collect();
                report(&mut stream, &lines.join("\n")).await?;
            }
            path => {
                let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
                let script = Script::parse(name).ok_or(io::ErrorKind::InvalidInput)?;
                if !is_known {
                    shared.connections.fetch_add(1, Relaxed);
                    is_known = true;
                }
                play(&mut stream, shared, script, &asked.model).await?;
            }
        }
    }
    Ok(())
}

async fn play<S>(stream: &mut S, shared: &Shared, script: Script, model: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let bytes = &shared.bytes;
    match script {
        Script::Burst(thousands) | Script::Packed(thousands) => {
            let block = if let Script::Burst(_) = script { &bytes.small } else { &bytes.large };
            stream.write_all(&bytes.head).await?;
            for _ in 0..thousands {
                stream.write_all(block).await?;
            }
            stream.write_all(&[&bytes.completed, LAST_CHUNK].concat()).await?;
        }
        Script::Turn(deltas) => {
            stream.write_all(&[&bytes.head, bytes.first(deltas), &bytes.completed, LAST_CHUNK].concat()).await?;
        }
        Script::LateEnd(deltas) => {
            stream.write_all(&[&bytes.head, bytes.first(deltas), &bytes.completed].concat()).await?;
            // The runtime's timers count whole milliseconds: 5 would be 6.
            tokio::task::spawn_blocking(|| std::thread::sleep(LATE)).await?;
            stream.write_all(LAST_CHUNK).await?;
        }
        Script::Paced => {
            stream.write_all(&[&bytes.head, bytes.first(1)].concat()).await?;
            // Streams do not beat in step.
            let phase = shared.connections.load(Relaxed) * 7 % 20;
            let start = tokio::time::Instant::now() + Duration::from_millis(phase);
            let mut beat = tokio::time::interval_at(start, BEAT);
            let mut begin = 0;
            for end in bytes.ends.iter().cycle() {
                beat.tick().await;
                begin = if begin == bytes.small.len() { 0 } else { begin };
                stream.write_all(&bytes.small[begin..*end]).await?;
                begin = *end;
            }
        }
        Script::Idle => {
            stream.write_all(&[&bytes.head, bytes.first(1)].concat()).await?;
            stream.flush().await?;
            // An error is an end, too: TLS misses its last words.
            _ = stream.read(&mut [0; 64]).await;
            shared.note_end(model.to_owned());
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    debug_assert_eq!(bytes.ends.len(), BLOCK);
    stream.flush().await
}

async fn report(stream: &mut (impl AsyncWrite + Unpin), text: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
    stream.write_all(&[head.as_bytes(), text.as_bytes()].concat()).await?;
    stream.shutdown().await
}

/// The next request; `None` if the client has none.
async fn request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> io::Result<Option<Asked>> {
    let head_end = loop {
        if let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let end = head_end + length.unwrap_or(0);
    while buffer.len() < end {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = String::from_utf8_lossy(&buffer[head_end..end]).into_owned();
    buffer.drain(..end);
    Ok(Some(Asked { path, model: model(&body) }))
}

/// The `model` of a request.
pub(super) fn model(body: &str) -> String {
    let model = body.split_once(r#""model":""#).and_then(|(_, rest)| rest.split_once('"'));
    model.map_or_else(String::new, |(model, _)| model.to_owned())
}
