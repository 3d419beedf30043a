//! The tunnel stage with SOCKS 5 (RFC 1928), with or without user and password (RFC 1929).
//!
//! The proxy is sent the server's name, never an address that was looked up here.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::proxy::Proxy;
use crate::target::Endpoint;

use super::BoxStream;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
/// Of the negotiation in RFC 1929.
const PASSWORD_VERSION: u8 = 1;

/// A negotiation under way.
pub(super) type Socks = Pin<Box<dyn Future<Output = Result<BoxStream, Error>> + Send>>;

pub(super) fn start(mut stream: BoxStream, proxy: Arc<Proxy>, endpoint: Arc<Endpoint>) -> Socks {
    Box::pin(async move {
        let address = address(&endpoint)?;
        match negotiate(&mut stream, &proxy, &address).await {
            Ok(()) => Ok(stream),
            Err(failure) => Err(failure.into_error(&proxy.endpoint, &endpoint)),
        }
    })
}

/// Why there is no tunnel.
enum Failure {
    Io(io::Error),
    /// It does not speak SOCKS 5.
    Garbage,
    /// It wants credentials, and there are none.
    NoCredentials,
    Method,
    Credentials,
    Reply(u8),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

async fn negotiate(stream: &mut BoxStream, proxy: &Proxy, address: &[u8]) -> Result<(), Failure> {
    let methods: &[u8] = match proxy.credentials {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    };
    send(stream, methods).await?;
    let [version, method] = receive(stream).await?;
    match (version, method, &proxy.credentials) {
        (VERSION, NO_AUTHENTICATION, _) => {}
        (VERSION, USER_AND_PASSWORD, Some(credentials)) => {
            let (user, password) = (&credentials.user, &credentials.password);
            let mut message = vec![PASSWORD_VERSION];
            for part in [user, password] {
                message.push(part.len() as u8);
                message.extend_from_slice(part);
            }
            send(stream, &message).await?;
            let [_, status] = receive(stream).await?;
            if status != 0 {
                return Err(Failure::Credentials);
            }
        }
        (VERSION, 0xff | USER_AND_PASSWORD, None) => return Err(Failure::NoCredentials),
        (VERSION, 0xff, Some(_)) => return Err(Failure::Method),
        _ => return Err(Failure::Garbage),
    }
    send(stream, &[&[VERSION, CONNECT, 0], address].concat()).await?;
    let [version, reply] = receive(stream).await?;
    match (version, reply) {
        (VERSION, 0) => {}
        (VERSION, reply) => return Err(Failure::Reply(reply)),
        _ => return Err(Failure::Garbage),
    }
    // The address that the proxy uses for the connection is nobody's business, but has to be read.
    let [_, kind] = receive(stream).await?;
    let length = match kind {
        1 => 4,
        3 => usize::from(stream.read_u8().await?),
        4 => 16,
        _ => return Err(Failure::Garbage),
    };
    stream.read_exact(&mut [0; 255 + 2][..length + 2]).await?;
    Ok(())
}

async fn send(stream: &mut BoxStream, message: &[u8]) -> io::Result<()> {
    stream.write_all(message).await?;
    stream.flush().await
}

async fn receive(stream: &mut BoxStream) -> io::Result<[u8; 2]> {
    let mut message = [0; 2];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// Type, address and port, as RFC 1928, section 5, has them.
fn address(endpoint: &Endpoint) -> Result<Vec<u8>, Error> {
    let host = &endpoint.host;
    let mut address = match host.parse() {
        Ok(IpAddr::V4(ip)) => [&[1][..], &ip.octets()].concat(),
        Ok(IpAddr::V6(ip)) => [&[4][..], &ip.octets()].concat(),
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|cause| {
                let message = "the host name is too long for a SOCKS proxy (255 bytes)";
                Error::new(ErrorKind::Config, Phase::Proxy, message).with_source(cause)
            })?;
            [&[3, length][..], host.as_bytes()].concat()
        }
    };
    address.extend_from_slice(&endpoint.port.to_be_bytes());
    Ok(address)
}

impl Failure {
    fn into_error(self, proxy: &Endpoint, endpoint: &Endpoint) -> Error {
        let error = |message| Error::new(ErrorKind::Proxy, Phase::Proxy, message);
        match self {
            Self::Io(cause) => {
                error(format!("{proxy} closed the connection before it answered")).passing().with_source(cause)
            }
            Self::Garbage => error(format!("{proxy} does not speak SOCKS 5")),
            Self::NoCredentials => error(format!("{proxy} asks for credentials")),
            Self::Method => error(format!("{proxy} asks for credentials of another kind than it was offered")),
            Self::Credentials => error(format!("{proxy} did not accept the credentials")),
            Self::Reply(reply) => {
                let (reason, is_passing) = reason(reply);
                let error = error(format!("{proxy} refused to connect to {endpoint}: {reason}"));
                if is_passing { error.passing() } else { error }
            }
        }
    }
}

/// RFC 1928, section 6, and whether it may be over soon.
fn reason(reply: u8) -> (String, bool) {
    let (text, is_passing) = match reply {
        1 => ("general failure", true),
        2 => ("not allowed by its rules", false),
        3 => ("network unreachable", true),
        4 => ("host unreachable", true),
        5 => ("connection refused", true),
        6 => ("time to live expired", true),
        7 => ("command not supported", false),
        8 => ("address type not supported", false),
        other => return (format!("reply {other}"), false),
    };
    (text.to_owned(), is_passing)
}
