//! A server that does what a test tells it, byte by byte.

// Each test file uses its own part of this.
#![allow(dead_code)]

pub(crate) mod frames;
pub(crate) mod proxy;
pub(crate) mod tls;

use std::collections::HashMap;
use std::ffi::OsString;
use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use http_transport::{Decoding, Environment, Error, Exchange, Request, Transport};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Serves one connection on loopback; the result is the base URI and what `script` returns.
pub(crate) async fn serve<S, F>(script: S) -> (String, JoinHandle<F::Output>)
where
    S: FnOnce(TcpStream) -> F + Send + 'static,
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        script(stream).await
    });
    (uri, server)
}

/// Turns a hang into a failure. Nothing that passes comes near the limit.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future).await.expect("should happen at once, but hangs")
}

/// What the server's script returned.
pub(crate) async fn finish<T>(server: JoinHandle<T>) -> T {
    soon(server).await.unwrap()
}

/// Reads one request with a `content-length` body, or none.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(stream.read_u8().await.unwrap()));
    }
    let length = request
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    request + &String::from_utf8(body).unwrap()
}

/// A transport that the machine's environment has no say in, and that leaves headers and bodies as they are.
pub(crate) fn direct() -> Transport {
    Transport::builder().environment(Environment::empty()).decoding(Decoding::Raw).build().unwrap()
}

/// The variables of an environment.
pub(crate) fn variables(list: &[(&str, &str)]) -> Environment {
    let map: HashMap<String, OsString> = list.iter().map(|(name, value)| ((*name).into(), value.into())).collect();
    Environment::from_fn(move |name| map.get(name).cloned())
}

/// A POST of `{}` to `uri`, not polled yet.
pub(crate) fn post(transport: &Transport, uri: &str) -> Exchange {
    transport.open(Request::post(uri.parse().unwrap(), HeaderMap::new(), "{}"))
}

/// A request to `uri` for another protocol, not polled yet.
pub(crate) fn upgrade(transport: &Transport, uri: &str) -> Exchange {
    upgrade_with(transport, uri, &[("connection", "keep-alive, Upgrade"), ("upgrade", "echo")])
}

/// A GET with these headers, not polled yet.
pub(crate) fn upgrade_with(transport: &Transport, uri: &str, list: &[(&'static str, &'static str)]) -> Exchange {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(*name, HeaderValue::from_static(value));
    }
    transport.open(Request::get(uri.parse().unwrap(), headers))
}

/// Everything below an error, from the top.
pub(crate) fn causes(error: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
}
