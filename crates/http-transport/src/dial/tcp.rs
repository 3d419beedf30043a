//! One TCP connection.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::race::Attempt;

/// A peer that is gone without a word is found out after 15 s + 3 × 5 s of silence.
const KEEPALIVE_TIME: Duration = Duration::from_secs(15);
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows))]
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows))]
const KEEPALIVE_RETRIES: u32 = 3;

pub(super) fn open(address: SocketAddr) -> Attempt<TcpStream> {
    Box::pin(async move {
        let stream = TcpStream::connect(address).await?;
        // Small writes must not wait for acknowledgements. A socket that refuses an option still works.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive());
        Ok(stream)
    })
}

// No `TCP_USER_TIMEOUT`: it would also end connections to a server that is alive and only slow to read.
fn keepalive() -> TcpKeepalive {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME);
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows))]
    let keepalive = keepalive.with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_RETRIES);
    keepalive
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use socket2::SockRef;
    use tokio::net::TcpListener;

    use super::{KEEPALIVE_INTERVAL, KEEPALIVE_TIME, open};

    #[tokio::test]
    async fn a_connection_does_not_delay_writes_and_is_kept_alive() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = open(listener.local_addr().unwrap()).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_TIME);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
    }
}
