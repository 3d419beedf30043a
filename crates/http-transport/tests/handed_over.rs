//! Requests that come while the connections of others are about to come free.

mod support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http_transport::{Decoding, Environment, Error, Transport, connector};
use support::{post, read_request};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

const URI: &str = "http://a.example/";
const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
const LAST_CHUNK: &str = "0\r\n\r\n";
/// From how many connections about to come free on a request waits for one of them.
const MANY: usize = 30;

/// A net in memory whose dials end when they may.
struct Net {
    transport: Transport,
    dials: Arc<AtomicUsize>,
    may_end: Arc<Semaphore>,
    servers: mpsc::UnboundedReceiver<DuplexStream>,
}

impl Net {
    fn new() -> Self {
        let (dials, may_end) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (sender, servers) = mpsc::unbounded_channel();
        let (begun, allowed) = (Arc::clone(&dials), Arc::clone(&may_end));
        let dial = connector::from_fn(move |_| {
            begun.fetch_add(1, Relaxed);
            let (allowed, sender) = (Arc::clone(&allowed), sender.clone());
            async move {
                allowed.acquire().await.map_err(io::Error::other)?.forget();
                let (near, far) = duplex(64 * 1024);
                sender.send(far).map_err(io::Error::other)?;
                Ok::<_, io::Error>(near)
            }
        });
        let transport = Transport::builder().environment(Environment::empty()).decoding(Decoding::Raw);
        Self { transport: transport.connector(dial).build().unwrap(), dials, may_end, servers }
    }

    /// An answer whose last event has come and whose end has not.
    async fn drained(&mut self) -> DuplexStream {
        self.may_end.add_permits(1);
        let mut exchange = post(&self.transport, URI);
        let (mut server, _) = tokio::join!(
            async {
                let mut server = self.servers.recv().await.unwrap();
                answer(&mut server, CHUNKED).await;
                server
            },
            async { exchange.head().await.unwrap() }
        );
        assert_eq!(exchange.data().await.unwrap().unwrap(), "hello");
        exchange.finish();
        server.flush().await.unwrap();
        server
    }

    async fn until_dials_are(&self, count: usize) {
        let begun = async {
            while self.dials.load(Relaxed) < count {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(1), begun).await.expect("a dial begins");
    }
}

async fn answer(server: &mut DuplexStream, with: &str) {
    read_request(server).await;
    server.write_all(with.as_bytes()).await.unwrap();
}

async fn ask(transport: Transport) -> Result<String, Error> {
    let mut exchange = post(&transport, URI);
    exchange.head().await?;
    let mut body = Vec::new();
    while let Some(data) = exchange.data().await {
        body.extend_from_slice(&data?);
    }
    Ok(String::from_utf8(body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn one_of_many_connections_that_come_free_soon_spares_the_dial() {
    let mut net = Net::new();
    let mut servers = Vec::new();
    for _ in 0..MANY {
        servers.push(net.drained().await);
    }
    let last = tokio::spawn(ask(net.transport.clone()));
    yield_now().await;
    let server = &mut servers[MANY / 2];
    server.write_all(LAST_CHUNK.as_bytes()).await.unwrap();
    answer(server, HELLO).await;
    assert_eq!(last.await.unwrap().unwrap(), "hello");
    assert_eq!(net.dials.load(Relaxed), MANY);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_free_wins_against_a_dial_which_serves_the_next_request() {
    let mut net = Net::new();
    let mut server = net.drained().await;
    let tasks = Handle::current().metrics();
    let before = tasks.num_alive_tasks();
    let second = tokio::spawn(ask(net.transport.clone()));
    net.until_dials_are(2).await;
    server.write_all(LAST_CHUNK.as_bytes()).await.unwrap();
    answer(&mut server, HELLO).await;
    assert_eq!(second.await.unwrap().unwrap(), "hello");
    // The dial that lost.
    net.may_end.add_permits(1);
    let mut late = net.servers.recv().await.unwrap();
    while tasks.num_alive_tasks() >= before {
        yield_now().await;
    }
    drop(server);
    let third = tokio::spawn(ask(net.transport.clone()));
    answer(&mut late, HELLO).await;
    assert_eq!(third.await.unwrap().unwrap(), "hello");
    assert_eq!(net.dials.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_dial_wins_against_a_connection_that_does_not_come_free() {
    let mut net = Net::new();
    let _never = net.drained().await;
    net.may_end.add_permits(1);
    let second = tokio::spawn(ask(net.transport.clone()));
    let mut server = net.servers.recv().await.unwrap();
    answer(&mut server, HELLO).await;
    assert_eq!(second.await.unwrap().unwrap(), "hello");
    assert_eq!(net.dials.load(Relaxed), 2);
}
