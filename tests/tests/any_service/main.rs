//! Whatever a service answers, in whatever pieces, on connections that end as they like: what holds for every turn.

mod http2;
mod reply;
mod service;

use std::{sync::Arc, time::Duration};

use codex_api::{Client, Environment, Pacing, Provider, Request, RetryBudget, RetryPolicy, Session, Transport, Turn};
use codex_api::{Error, HttpVersions, TurnEvent, Wire};
use proptest::{collection::vec, option, prelude::*, sample::select};
use reply::{Outcome, Reply, reply};
use service::{Asked, Service};

/// Turns of a session that the whole of it is told, with what the service has for each. Behind that, it answers.
#[derive(Clone, Debug)]
struct Talk {
    wire: Wire,
    transport: Transport,
    version: HttpVersions,
    /// All of it at once.
    at_once: bool,
    turns: Vec<Planned>,
}

#[derive(Clone, Debug)]
struct Planned {
    replies: Vec<Reply>,
    /// After so many events the caller has enough.
    dropped_after: Option<usize>,
}

fn talk() -> impl Strategy<Value = Talk> {
    let ways = select(vec![
        (Wire::Responses, Transport::Sse, HttpVersions::Http1),
        (Wire::Responses, Transport::Sse, HttpVersions::Http2),
        (Wire::Responses, Transport::Auto, HttpVersions::Http1),
        (Wire::Responses, Transport::WebSocket, HttpVersions::Http1),
        (Wire::Chat, Transport::Sse, HttpVersions::Http1),
        (Wire::Chat, Transport::Sse, HttpVersions::Http2),
    ]);
    let planned = (vec(reply(), 0..4), option::weighted(0.1, 0..6_usize))
        .prop_map(|(replies, dropped_after)| Planned { replies, dropped_after });
    (ways, any::<bool>(), vec(planned, 1..4)).prop_map(|((wire, transport, version), at_once, turns)| Talk {
        wire,
        transport,
        version,
        at_once,
        turns,
    })
}

fn session(talk: &Talk, service: &Arc<Service>) -> Session {
    let at_once = RetryPolicy::new().with_base(Duration::from_nanos(1)).with_overload_base(Duration::from_nanos(1));
    let unpaced = RetryBudget::new(Pacing::new(1_000, Duration::ZERO));
    Client::builder(Provider::new("http://model.test/v1").unwrap())
        .environment(Environment::empty())
        .wire(talk.wire)
        .transport(talk.transport)
        .http_versions(talk.version)
        .retry(at_once)
        .retry_budget(unpaced)
        .retry_seed(1)
        .connector(service.connector())
        .build()
        .unwrap()
        .session()
}

/// What the caller of a turn has seen of it.
struct Seen {
    /// Of the last attempt.
    text: String,
    /// Of the collected answer.
    answer: Option<String>,
    error: Option<Error>,
}

/// Reads the turn, to its end or until the caller has enough. None of it takes a day.
async fn read(turn: &Turn, asks: &str, dropped_after: Option<usize>) -> Option<Seen> {
    let mut stream = turn.stream(Request::new("m").user(asks));
    let (mut text, mut events, mut is_ended) = (String::new(), 0, false);
    let error = loop {
        if dropped_after == Some(events) {
            return None;
        }
        events += 1;
        let next = tokio::time::timeout(Duration::from_secs(24 * 60 * 60), stream.try_next());
        match next.await.expect("a turn ends") {
            Ok(Some(event)) => {
                assert!(!is_ended, "{event:?} behind the end");
                is_ended = event.is_terminal();
                match event {
                    TurnEvent::Request(_) => text.clear(),
                    TurnEvent::TextDelta(delta) => text.push_str(&delta.text),
                    _ => {}
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(is_ended != error.is_some(), "one end, and no other: {error:?}");
    assert!(stream.try_next().await.is_ok_and(|event| event.is_none()), "a stream ends once");
    Some(Seen { text, answer: stream.answer().map(codex_api::Answer::text), error })
}

/// What was asked, and what the caller has seen, belong together.
fn check(asked: &[Asked], seen: &Seen) {
    let (last, before) = asked.split_last().expect("a request");
    for earlier in before {
        assert_eq!(earlier.outcome, Outcome::Again, "asked again, though this was decisive: {earlier:?}");
    }
    match &last.outcome {
        Outcome::Answer(text) => {
            assert!(seen.error.is_none(), "an answer was taken for an error: {:?}", seen.error);
            assert_eq!((&seen.text, seen.answer.as_ref()), (text, Some(text)));
        }
        Outcome::Final(code) => {
            let error = seen.error.as_ref().expect("an error");
            assert_eq!((error.code(), error.is_retryable()), (Some(*code), false), "{error:?}");
            assert!(error.message().contains(reply::MESSAGE), "{error:?}");
        }
        Outcome::Again => panic!("given up: {:?}", seen.error),
    }
}

async fn play(talk: Talk) {
    let service = Arc::new(Service::new(talk.wire, talk.version));
    let session = session(&talk, &service);
    let mut turns = tokio::task::JoinSet::new();
    for (number, planned) in talk.turns.into_iter().enumerate() {
        let name = format!("turn-{number}");
        service.plan(&name, planned.replies);
        let turn = session.begin_turn().header("x-turn", &name).unwrap();
        turns.spawn(take_turn(Arc::clone(&service), turn, name, planned.dropped_after));
        if !talk.at_once {
            turns.join_next().await.unwrap().unwrap();
        }
    }
    turns.join_all().await;
}

async fn take_turn(service: Arc<Service>, turn: Turn, name: String, dropped_after: Option<usize>) {
    let seen = read(&turn, &name, dropped_after).await;
    // The service has looked at the state that each request carries.
    let asked = service.asked(&name);
    if let Some(seen) = seen {
        check(&asked, &seen);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_turn_ends_with_the_first_answer_or_the_first_failure_that_is_final(talk in talk()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(play(talk));
    }
}
