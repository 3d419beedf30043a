//! Pages with pictures of turns, as `codex-stream decode --output html` makes them.

use std::time::Duration;

use codex_api::Wire;
use codex_stream::{AttemptHead, DecodeOptions, StreamDecoder, TimelineBuilder, html_page};

use crate::client::TEXT;

const REASONING: &str = include_str!("../fixtures/responses/reasoning_and_text.sse");
const CHAT_CALLS: &str = include_str!("../fixtures/chat/reasoning_and_calls.sse");

/// A page, and what must be on it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) html: String,
    pub(crate) expected: Expected,
}

/// What a browser must find.
#[derive(Debug)]
pub(crate) struct Expected {
    /// In the title and the only `h1`.
    pub(crate) headline: String,
    /// Attempts, each with a figure.
    pub(crate) attempts: usize,
    /// In the tile of that name.
    pub(crate) events: &'static str,
    /// Marked gaps.
    pub(crate) gaps: usize,
    /// Hatched figures.
    pub(crate) void: usize,
}

impl Page {
    fn new(
        name: &'static str,
        turn: Turn,
        headline: &str,
        (attempts, events): (usize, &'static str),
        (gaps, void): (usize, usize),
    ) -> Self {
        let html = html_page(&turn.builder.finish(), name);
        let expected = Expected { headline: headline.to_owned(), attempts, events, gaps, void };
        Self { name, html, expected }
    }
}

/// Every kind of page that there is.
pub(crate) fn all() -> Vec<Page> {
    let hostile = "</title><script>console.error('in')</script>' onload='x' ]]> \u{202e}txet";
    let failed = format!(
        "data: {}\n\n",
        serde_json::json!({"type": "response.failed", "response": {"error": {"code": "invalid_prompt", "message": hostile}}})
    );
    let unknown = format!("data: {}\n\ndata: {{\"type\"\n\n", serde_json::json!({"type": hostile, "x": 1}));
    let delta = "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"word \"}\n\n";
    let many: String = delta.repeat(100_000) + &TEXT[TEXT.find("event: response.completed").unwrap_or_default()..];
    vec![
        Page::new(
            "retried",
            Turn::default().attempt(REASONING, 14, 40, Some(3)).wait(800).attempt(REASONING, usize::MAX, 70, Some(9)),
            "completed after 5.37 s, 2 attempts",
            (2, "37"),
            (2, 1),
        ),
        Page::new("no-clock", Turn::default().untimed(CHAT_CALLS, Wire::Chat), "completed", (1, "20"), (0, 0)),
        Page::new("empty", Turn::default().untimed("", Wire::Responses), "failed: truncated", (1, "0"), (0, 0)),
        Page::new(
            "hostile",
            Turn::default().attempt(&(unknown + &failed), usize::MAX, 400, None),
            "failed after 1.20 s: invalid_prompt — “</title><script>console.error('in')</script>' onload='x' ]]> \
             [U+202E]txet”, not retryable",
            (1, "2"),
            (3, 0),
        ),
        Page::new(
            "large",
            Turn::default().attempt(&many, usize::MAX, 1, None),
            "completed after 100.0 s",
            (1, "100\u{2009}002"),
            (0, 0),
        ),
    ]
}

/// Attempts one after the other.
#[derive(Default)]
struct Turn {
    builder: TimelineBuilder,
    now: u64,
}

impl Turn {
    /// An attempt that ends after so many events of a stream, which come `pace` milliseconds apart. Before the one
    /// with the number `slow` nothing but a comment comes for a while.
    fn attempt(mut self, stream: &str, events: usize, pace: u64, slow: Option<usize>) -> Self {
        let head = AttemptHead {
            transport: Some(codex_api::TransportKind::Sse),
            status: Some(200),
            request_id: Some("req_1".to_owned()),
        };
        self.builder.begin(Some(Duration::from_millis(self.now)), head);
        let mut decoder = StreamDecoder::new(DecodeOptions::new(Wire::Responses));
        for (index, chunk) in stream.split_inclusive("\n\n").take(events).enumerate() {
            if slow == Some(index) {
                self.now += 600;
                self.feed(&mut decoder, ": still there\n\n");
                self.now += 600;
            }
            self.now += pace;
            self.feed(&mut decoder, chunk);
        }
        let now = Some(Duration::from_millis(self.now));
        let builder = &mut self.builder;
        let end = decoder.finish(&mut |event| {
            builder.event(now, event);
            Ok(())
        });
        let end = end.expect("nothing is written");
        builder.end(now, end.failure.as_ref(), &end.ledger);
        self
    }

    fn feed(&mut self, decoder: &mut StreamDecoder, chunk: &str) {
        let now = Some(Duration::from_millis(self.now));
        let builder = &mut self.builder;
        builder.bytes(now, chunk.len());
        let fed = decoder.feed(chunk.as_bytes(), &mut |event| {
            builder.event(now, event);
            Ok(())
        });
        fed.expect("nothing is written");
    }

    fn wait(mut self, millis: u64) -> Self {
        self.now += millis;
        self
    }

    /// A recording without a clock.
    fn untimed(mut self, stream: &str, wire: Wire) -> Self {
        let builder = &mut self.builder;
        builder.begin(None, AttemptHead::default());
        let mut decoder = StreamDecoder::new(DecodeOptions::new(wire));
        let mut show = |event: &codex_api::TurnEvent| {
            builder.event(None, event);
            Ok(())
        };
        decoder.feed(stream.as_bytes(), &mut show).expect("nothing is written");
        let end = decoder.finish(&mut show).expect("nothing is written");
        builder.end(None, end.failure.as_ref(), &end.ledger);
        self
    }
}
