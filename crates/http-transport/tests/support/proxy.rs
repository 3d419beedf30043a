//! A proxy that does what a test tells it.

use http_transport::{Decoding, Environment, Error, Transport, TransportBuilder};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{finish, post, serve};

/// Settings with the proxy `scheme://[user:password@]host:port`, where host and port are those of `uri`.
pub(crate) fn through(scheme_and_user: &str, uri: &str) -> TransportBuilder {
    let url = uri.replace("http://", scheme_and_user);
    let url: http_transport::ProxyUrl = url.parse().unwrap();
    Transport::builder().environment(Environment::empty()).proxy(url).decoding(Decoding::Raw)
}

/// Posts to `target` through a proxy that follows `script`; the result is the error, what `script` returned, and the
/// proxy's `host:port`.
pub(crate) async fn refused<S, F>(scheme_and_user: &str, target: &str, script: S) -> (Error, F::Output, String)
where
    S: FnOnce(TcpStream) -> F + Send + 'static,
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (uri, server): (String, JoinHandle<F::Output>) = serve(script).await;
    let mut exchange = post(&through(scheme_and_user, &uri).build().unwrap(), target);
    let error = exchange.head().await.unwrap_err();
    assert_eq!(exchange.phase(), error.phase(), "the exchange stays in the phase that failed");
    (error, finish(server).await, uri.replace("http://", ""))
}
