//! Streams model turns from OpenAI-style services: the Responses API and Chat Completions, as one stream of events.
//!
//! It joins the leaves and decides nothing itself: what bytes mean is `sse-codec`'s and `response-events`' matter,
//! what to do next `turn-session`'s, how to reach a host `http-transport`'s.
//!
//! * [`Client`]: a service, credentials, settings. Made by [`Client::builder`].
//! * [`Session`]: one conversation. [`Turn`]: one turn of the user in it, with all its requests.
//! * [`TurnStream`]: the events of one request, up to its one terminal item. Dropping it cancels the request.
//! * [`Error`]: the one error type.
//!
//! The vocabulary ([`Request`], [`TurnEvent`], [`Item`], …) comes from `response-events`; what of it occurs in
//! this API is re-exported here.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod asking;
mod auth;
mod checks;
mod chunking;
mod client;
mod clock;
mod connection;
mod document;
mod endpoint;
mod error;
mod error_body;
mod failures;
mod headers;
mod logs;
mod parking;
mod provider;
mod recorded;
mod recorded_answer;
mod recorded_stream;
mod request_body;
mod secrets;
mod seed;
mod session;
mod socket;
mod stream;
mod timer;
mod transcriber;
mod turn_state_token;

// The crate's own.
pub use answer::{Answer, Choice};
pub use auth::{Auth, AuthorizeFuture, BoxError, Credentials, OutgoingRequest};
pub use client::{Client, ClientBuilder};
pub use error::Error;
pub use provider::Provider;
pub use session::{Session, Turn};
pub use stream::TurnStream;
pub use turn_state_token::TurnStateToken;

// Requests, and the items that they and their answers are made of.
pub use response_events::{
    CallKind, ChatHistory, Continuation, EncodeError, FunctionCall, InvalidItem, Item, ItemKind, Message, RawJson,
    Reasoning, Request,
};

// What a stream tells.
pub use response_events::{
    Completed, Created, Credits, Delta, Fallback, Incomplete, ItemEvent, Malformed, Opened, OtherEvent,
    RateLimitWindow, RateLimits, RequestStarted, ResponseHeaders, Retry, TransportKind, TurnEvent, TurnStateMark,
    Usage,
};

// How a stream fails, and what error codes mean.
pub use error_body::error_in_body;
pub use response_events::{
    ApiError, Classifier, ErrorClass, Failure, FailureKind, Phase, classify_code, classify_status, known_codes,
    known_statuses,
};

// What passed, counted and rendered.
pub use response_events::{
    ChoiceEnd, ChoiceSummary, EventCounts, ItemCall, Ledger, Summary, SummaryBuilder, Transcript,
};

// Streams as text, for snapshots in tests and reports of mistakes.
pub use chunking::Chunking;
pub use recorded::{ChunkingMismatch, recorded_transcript};
pub use transcriber::{Transcriber, transcript};

// Bytes and payloads without a connection: recordings, streams that somebody else has read.
pub use recorded_answer::{AnswerContent, RecordedAnswer, RecordedHead, socket_failure};
pub use recorded_stream::{RecordedStream, StreamEnd};
pub use response_events::{FinishedResponse, Interpreter, InterpreterOptions, Outcome};

// Settings of the layers below.
pub use http_transport::{
    DecodeLimits, Decoding, Environment, HttpVersions, ProxySettings, ProxyUrl, RequestCompression, TlsProvider,
    connector,
};
pub use response_events::{InvalidWire, Wire};
pub use retry_policy::{
    Jitter, Pacing, Policy as RetryPolicy, PolicyError as RetryPolicyError, SharedBudget as RetryBudget,
};
pub use turn_session::{CredentialNeed, OnCut, Timeouts, Transport};
