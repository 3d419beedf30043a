//! Streams that are cut anywhere: after the retry the caller holds what an uncut stream would have brought.

mod support;

use std::{fs, path::Path};

use codex_api::{Answer, ItemKind, Request, TurnEvent, TurnStream, Wire};
use stream_replay::{Cut, Response};
use support::{drain, impatient, playing};

/// Random places at which each recording is cut, besides the borders of its events.
const RANDOM_CUTS: u64 = 200;

/// A recording: its name, its wire, the types of its items, its text, and its tokens in all.
type Recorded = (&'static str, Wire, &'static [&'static str], &'static str, u64);

const RECORDINGS: [Recorded; 10] = [
    ("text", Wire::Responses, &["message"], "The bridge is 1,280 m long – “end” to end.", 21),
    ("two_messages", Wire::Responses, &["message", "message"], "First, a plan.Then, the answer: 42.", 37),
    ("reasoning_and_text", Wire::Responses, &["reasoning", "message"], "It has 366 days.", 95),
    ("parallel_calls", Wire::Responses, &["function_call", "function_call"], "", 83),
    ("refusal", Wire::Responses, &["message"], "", 17),
    ("incomplete", Wire::Responses, &["message"], "Once upon a time there was", 23),
    ("custom_tool", Wire::Responses, &["reasoning", "custom_tool_call"], "", 115),
    ("text_with_usage", Wire::Chat, &["message"], "Rain in the morning, 21 °C after noon.", 20),
    ("reasoning_and_calls", Wire::Chat, &["reasoning", "message", "function_call", "function_call"], "Let me ask.", 68),
    ("two_choices", Wire::Chat, &["message"], "Heads, say I.", 16),
];

/// A recording, with the events and the answer that it brings when nothing goes wrong.
struct Recording {
    name: &'static str,
    wire: Wire,
    body: String,
    events: Vec<TurnEvent>,
    answer: Answer,
    /// From here on the answer is whole, whatever becomes of the rest.
    whole_from: usize,
    /// From here on its tokens are known, too.
    counted_from: usize,
}

impl Recording {
    async fn load((name, wire, ..): Recorded) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(wire.as_str()).join(name);
        let body = fs::read_to_string(path.with_extension("sse")).unwrap();
        let server = playing([Response::sse(body.clone())]).await;
        let (events, error) = drain(ask(&server.base_url(), name, wire)).await;
        assert!(error.is_none(), "{name}: {error:?}");
        let answer = ask(&server.base_url(), name, wire).collect().await.unwrap();
        let behind_last = |what: &str| {
            let at = body.rfind(what).unwrap_or_else(|| panic!("{name} has no {what}"));
            at + body[at..].find("\n\n").unwrap() + 2
        };
        let (whole_from, counted_from) = match wire {
            Wire::Chat => (behind_last("\"finish_reason\":\""), behind_last("\"usage\":{")),
            // The line of the terminal event, without the blank one.
            _ => (body.len() - 1, body.len() - 1),
        };
        Self { name, wire, events: answer_events(&events).to_vec(), answer, whole_from, counted_from, body }
    }

    /// Every border between two events, both ends included.
    fn borders(&self) -> impl Iterator<Item = usize> {
        [0].into_iter().chain(self.body.match_indices("\n\n").map(|(at, _)| at + 2))
    }

    /// Cuts the first answer; the second one is whole.
    async fn check(&self, offset: usize, cut: Cut) {
        let place = format!("{} at {offset} of {}, {cut:?}", self.name, self.body.len());
        let server = self.cut_once(offset, cut).await;
        let (events, error) = drain(ask(&server.base_url(), self.name, self.wire)).await;
        assert!(error.is_none(), "{place}: {error:?}");
        let requests = server.requests().len();
        // Bytes that were on their way when the connection was reset are lost with it.
        match cut {
            Cut::Reset if offset >= self.whole_from => assert!((1..=2).contains(&requests), "{place}"),
            _ => assert_eq!(requests, if offset >= self.whole_from { 1 } else { 2 }, "{place}"),
        }
        let mut attempts = events.split(|event| matches!(event, TurnEvent::Request(_)));
        assert_eq!(attempts.next(), Some(&[][..]), "{place}: nothing comes before the first attempt");
        let attempts: Vec<_> = attempts.collect();
        assert_eq!(attempts.len(), requests, "{place}");
        let (last, void) = attempts.split_last().unwrap();
        for void in void {
            self.check_void(void, &place);
        }
        if requests == 2 || offset >= self.counted_from {
            assert_eq!(*last, self.events, "{place}");
        } else {
            assert_eq!(without_usage(last), without_usage(&self.events), "{place}");
        }

        let server = self.cut_once(offset, cut).await;
        let collected = ask(&server.base_url(), self.name, self.wire).collect().await.unwrap();
        assert_eq!(collected.items, self.answer.items, "{place}");
        assert_eq!(collected.other_choices, self.answer.other_choices, "{place}");
        assert_eq!(collected.text(), self.answer.text(), "{place}");
        assert_eq!(collected.incomplete_reason, self.answer.incomplete_reason, "{place}");
        if server.requests().len() == 2 || offset >= self.counted_from {
            assert_eq!(collected, self.answer, "{place}");
        }
    }

    /// What a void attempt brought is the beginning of the answer, and is called void if there is anything of it.
    fn check_void(&self, void: &[TurnEvent], place: &str) {
        let Some((TurnEvent::Retry(retry), shown)) = void.split_last() else {
            panic!("{place}: an attempt is not followed by its retry: {void:?}");
        };
        assert!(self.events.starts_with(shown), "{place}: {shown:?}");
        assert_eq!(retry.discarded, shown.iter().any(TurnEvent::is_output), "{place}");
        assert_eq!((retry.attempt, retry.max_attempts), (2, 9), "{place}");
    }

    async fn cut_once(&self, offset: usize, cut: Cut) -> stream_replay::ReplayServer {
        let whole = || Response::sse(self.body.clone());
        playing([whole().cut_at(offset, cut), whole()]).await
    }
}

/// Everything but the last byte that makes the answer whole.
fn cut_before_its_end(recording: &Recording) -> Response {
    Response::sse(recording.body.clone()).cut_at(recording.whole_from - 1, Cut::Close)
}

fn ask(base_url: &str, name: &str, wire: Wire) -> TurnStream {
    let choices = if name == "two_choices" { 2 } else { 1 };
    let client = impatient(base_url).wire(wire).build().unwrap();
    client.session().begin_turn().stream(Request::new("m").user("Hi").set("n", choices))
}

/// The events of the last attempt.
fn answer_events(events: &[TurnEvent]) -> &[TurnEvent] {
    events.rsplit(|event| matches!(event, TurnEvent::Request(_))).next().unwrap()
}

fn without_usage(events: &[TurnEvent]) -> Vec<TurnEvent> {
    let mut events = events.to_vec();
    if let Some(TurnEvent::Completed(completed)) = events.last_mut() {
        completed.usage = None;
    }
    events
}

/// Knuth's multiplier, and the high bits, which are the good ones.
fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % below
}

#[tokio::test]
async fn the_recordings_are_what_they_seem_to_be() {
    for recorded in RECORDINGS {
        let (name, _, item_types, text, tokens) = recorded;
        let recording = Recording::load(recorded).await;
        let answer = &recording.answer;
        assert_eq!(answer.items.iter().map(codex_api::Item::item_type).collect::<Vec<_>>(), item_types, "{name}");
        assert_eq!(answer.text(), text, "{name}");
        let others: Vec<_> = answer.other_choices.iter().map(codex_api::Choice::text).collect();
        assert_eq!(others, if name == "two_choices" { &["Tails it is."][..] } else { &[] }, "{name}");
        assert_eq!(answer.response.usage.as_ref().and_then(codex_api::Usage::total_tokens), Some(tokens), "{name}");
        assert_eq!(answer.incomplete_reason.is_some(), name == "incomplete", "{name}");
        let is_refusal =
            |item: &codex_api::Item| matches!(item.kind(), ItemKind::Message(message) if message.refusal.is_some());
        assert_eq!(answer.items.iter().any(is_refusal), name == "refusal", "{name}");
        assert!(recording.borders().count() > 8, "{name}");
    }
}

#[tokio::test]
async fn nothing_of_a_void_answer_is_mixed_into_another_one() {
    let mut recordings = Vec::new();
    for recorded in RECORDINGS {
        recordings.push(Recording::load(recorded).await);
    }
    for void in &recordings {
        for kept in recordings.iter().filter(|kept| kept.wire == void.wire) {
            let place = format!("{} after {}", kept.name, void.name);
            let server = playing([cut_before_its_end(void), Response::sse(kept.body.clone())]).await;
            let (events, _) = drain(ask(&server.base_url(), kept.name, kept.wire)).await;
            assert_eq!(answer_events(&events), kept.events, "{place}");
            let server = playing([cut_before_its_end(void), Response::sse(kept.body.clone())]).await;
            assert_eq!(ask(&server.base_url(), kept.name, kept.wire).collect().await.unwrap(), kept.answer, "{place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cut_anywhere_neither_doubles_nor_loses_anything() {
    let mut recordings = tokio::task::JoinSet::new();
    for (recorded, mut seed) in RECORDINGS.into_iter().zip(1_u64..) {
        recordings.spawn(async move {
            let recording = Recording::load(recorded).await;
            for border in recording.borders() {
                recording.check(border, Cut::Close).await;
                recording.check(border, Cut::Reset).await;
            }
            for number in 0..RANDOM_CUTS {
                let offset = random(&mut seed, recording.body.len() + 1);
                recording.check(offset, if number % 2 == 0 { Cut::Close } else { Cut::Reset }).await;
            }
        });
    }
    while let Some(checked) = recordings.join_next().await {
        if let Err(error) = checked {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}
