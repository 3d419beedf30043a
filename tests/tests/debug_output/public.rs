//! Whether every public type was looked at.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{parts, settings, shown, streams, turns};

/// Public names that need not be shown with a secret in them, and why: they hold none, or are part of what is shown.
const EXCUSED: &[(&str, &str, &[&str])] = &[
    ("codex_api", "what a hook is and answers with", &["AuthorizeFuture", "BoxError", "Credentials"]),
    ("codex_api", "part of an answer, which is shown", &["Choice"]),
    ("codex_api", "the ways of cutting a recording, and lines of its transcript", &["Chunking", "ChunkingMismatch"]),
    (
        "turn_session",
        "choices, limits and names",
        &[
            "Capture",
            "CredentialNeed",
            "CredentialSource",
            "WantedBody",
            "InputForm",
            "OnCut",
            "SocketNeed",
            "TURN_STATE_HEADER",
            "Timeouts",
            "Transport",
        ],
    ),
    (
        "http_transport",
        "choices, limits and names",
        &[
            "BodyEnd",
            "BodyLimits",
            "Coding",
            "DecodeError",
            "DecodeLimits",
            "Decoding",
            "ErrorKind",
            "HttpVersions",
            "Phase",
            "Repeat",
            "RequestCompression",
            "Reuse",
            "TlsProvider",
        ],
    ),
    ("http_transport", "of their bytes they show the number", &["Decoder", "Upgraded"]),
    (
        "response_events",
        "shown as events",
        &["Fallback", "Opened", "RateLimitWindow", "RateLimits", "Credits", "RequestStarted", "Retry"],
    ),
    (
        "response_events",
        "the model's words and the caller's, and what is counted of them",
        &[
            "ChoiceEnd",
            "ChoiceSummary",
            "Continuation",
            "Delta",
            "EventCounts",
            "FinishedResponse",
            "FunctionCall",
            "Incomplete",
            "Item",
            "ItemCall",
            "ItemEvent",
            "ItemKind",
            "Message",
            "Reasoning",
            "Request",
            "Usage",
        ],
    ),
    (
        "response_events",
        "choices, limits and names",
        &[
            "CallKind",
            "ChatHistory",
            "Classifier",
            "EncodeError",
            "ErrorClass",
            "FailureKind",
            "InterpreterOptions",
            "InvalidWire",
            "Phase",
            "TransportKind",
            "Wire",
        ],
    ),
    (
        "stream_replay",
        "choices, limits and names",
        &["Bodies", "Cut", "FrameKind", "Gate", "Pace", "Peer", "RecordedEnd", "Speed"],
    ),
    (
        "codex_stream",
        "choices, limits and names",
        &[
            "Arrival",
            "Axis",
            "DecodeOptions",
            "EventClass",
            "ExitStatus",
            "OutputFormat",
            "Place",
            "Render",
            "TextStyle",
        ],
    ),
    (
        "codex_stream",
        "shown as parts of a timeline",
        &["AttemptHead", "Ending", "EventMark", "EventRun", "Gap", "Totals"],
    ),
];

/// The types, traits and constants that a crate exports by name and owns.
fn exported(package: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(package).join("src/lib.rs");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let own = |list: &&str| {
        !["response_events", "http_transport", "retry_policy", "turn_session"]
            .iter()
            .any(|other| list.starts_with(other))
    };
    let lists = text.split("\npub use ").skip(1).filter_map(|rest| rest.split_once(';')).map(|(list, _)| list);
    lists
        .filter(own)
        .flat_map(|list| {
            list.split(|char: char| !char.is_alphanumeric() && char != '_')
                .filter(|name| name.starts_with(|first: char| first.is_uppercase()))
        })
        .map(|name| format!("{}::{name}", package.replace('-', "_")))
        .collect()
}

#[tokio::test]
async fn every_public_type_was_looked_at_or_holds_no_secret() {
    settings::show();
    streams::show();
    parts::show().await;
    Box::pin(turns::show()).await;
    let seen = shown::seen();
    let names = |(package, _, names): &(&'static str, &str, &[&'static str])| {
        let package = *package;
        names.iter().map(move |name| format!("{package}::{name}")).collect::<Vec<_>>()
    };
    let excused: BTreeSet<_> = EXCUSED.iter().flat_map(names).collect();
    let mut public = BTreeSet::new();
    for package in ["codex-api", "turn-session", "http-transport", "response-events", "stream-replay", "codex-stream"] {
        public.extend(exported(package));
    }
    let missing: Vec<_> = public.iter().filter(|name| !seen.contains(*name) && !excused.contains(*name)).collect();
    assert!(missing.is_empty(), "show these with a secret in them, or say that they hold none: {missing:#?}");
    let stale: Vec<_> = excused.iter().filter(|name| !public.contains(*name) || seen.contains(*name)).collect();
    assert!(stale.is_empty(), "these were looked at, or are no longer there: {stale:#?}");
}
