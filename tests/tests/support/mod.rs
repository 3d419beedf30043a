//! What the suites over real HTTP share.

// Each suite uses its own part of this.
#![allow(dead_code)]

pub(crate) mod faults;
pub(crate) mod in_memory;
pub(crate) mod sockets;
pub(crate) mod turns;

use std::time::Duration;

use codex_api::{Client, ClientBuilder, Environment, Error, Provider, RetryPolicy, TurnEvent, TurnStream};
use stream_replay::{Gate, ReplayServer, Response};

/// Retries at once: tests have no time to wait.
pub(crate) fn at_once() -> RetryPolicy {
    let blink = Duration::from_nanos(1);
    RetryPolicy::new()
        .with_base(blink)
        .with_cap(blink)
        .with_overload_base(blink)
        .with_reconnect_lone(blink)
        .with_reconnect_server_event(blink)
        .with_rate_limit_floor(Duration::ZERO)
        .with_hint_spread(Duration::ZERO)
}

/// A client that retries at once.
pub(crate) fn impatient(base_url: &str) -> ClientBuilder {
    let unpaced = codex_api::RetryBudget::new(codex_api::Pacing::new(1_000, Duration::ZERO));
    Client::builder(Provider::new(base_url).unwrap())
        .retry(at_once())
        .retry_budget(unpaced)
        .retry_seed(1)
        .environment(Environment::empty())
}

/// A server that plays the responses in order, and the last one again and again.
pub(crate) async fn playing(responses: impl IntoIterator<Item = Response>) -> ReplayServer {
    responses
        .into_iter()
        .fold(ReplayServer::builder(), stream_replay::ReplayServerBuilder::respond)
        .start()
        .await
        .unwrap()
}

/// Reads a stream to its end: the events, and the error that ended it. Asks once more to see that it stays ended.
pub(crate) async fn drain(mut stream: TurnStream) -> (Vec<TurnEvent>, Option<Error>) {
    let mut events = Vec::new();
    let error = loop {
        match stream.try_next().await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(stream.try_next().await.is_ok_and(|event| event.is_none()), "a stream ends once");
    (events, error)
}

/// The message of a failure is the same on every machine: it has none of the system's words, nor of what libraries tell
/// programmers.
#[track_caller]
pub(crate) fn assert_portable(error: &Error) {
    assert!(!["os error", "docs.rs", "Reason("].iter().any(|words| error.message().contains(words)), "{error:?}");
}

/// Turns a hang into a failure. Nothing that passes comes near the limit.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("should happen at once, but hangs")
}

/// Reads a stream whose server waits at a gate now and then: the gate lets one pass whenever everything that was sent
/// before has been read.
pub(crate) struct Tap {
    gate: Gate,
    passed: usize,
}

impl Tap {
    pub(crate) fn new(gate: &Gate) -> Self {
        Self { gate: gate.clone(), passed: 0 }
    }

    pub(crate) async fn try_next(&mut self, stream: &mut TurnStream) -> Result<Option<TurnEvent>, Error> {
        loop {
            tokio::select! {
                biased;
                item = stream.try_next() => return item,
                () = self.arrived() => self.release(),
            }
        }
    }

    /// The server has come to the gate, and what it has sent is there to be read: the runtime looks at its sockets
    /// when everybody yields.
    pub(crate) async fn arrived(&self) {
        self.gate.wait_for_arrivals(self.passed + 1).await;
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
    }

    /// Leaves the server where it is.
    pub(crate) fn pass_over(&mut self) {
        self.passed += 1;
    }

    /// Lets the server pass.
    pub(crate) fn release(&mut self) {
        self.passed += 1;
        self.gate.release();
    }
}
