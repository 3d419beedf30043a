//! What the suites over real HTTP share.

use std::time::Duration;

use codex_api::{Client, ClientBuilder, Error, Provider, RetryPolicy, TurnEvent, TurnStream};
use stream_replay::{ReplayServer, Response};

/// A client that retries at once: tests have no time to wait.
pub(crate) fn impatient(base_url: &str) -> ClientBuilder {
    let blink = Duration::from_nanos(1);
    let policy = RetryPolicy::new()
        .with_base(blink)
        .with_cap(blink)
        .with_overload_base(blink)
        .with_reconnect_lone(blink)
        .with_reconnect_server_event(blink)
        .with_rate_limit_floor(Duration::ZERO)
        .with_hint_spread(Duration::ZERO);
    let unpaced = codex_api::RetryBudget::new(codex_api::Pacing::new(1_000, Duration::ZERO));
    Client::builder(Provider::new(base_url).unwrap()).retry(policy).retry_budget(unpaced).retry_seed(1)
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

/// Reads a stream to its end: the events, and the error that ended it.
pub(crate) async fn drain(mut stream: TurnStream) -> (Vec<TurnEvent>, Option<Error>) {
    let mut events = Vec::new();
    loop {
        match stream.try_next().await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}
