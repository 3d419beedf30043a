//! The one way in which a stream fails, as plain data.

mod debug;

use std::{error::Error, fmt, time::Duration};

use serde::{Serialize, Serializer};

use crate::{ApiError, ErrorClass, classify_status};

/// What kind of failure ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The caller's settings or request cannot be used.
    Config,
    /// The host's name does not resolve.
    Dns,
    /// No connection to the host.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// A proxy refused.
    Proxy,
    /// A deadline passed; the phase says which.
    Timeout,
    /// An HTTP error status without an error object of the API.
    Status,
    /// An error that the service reported, however it arrived.
    Api,
    /// The stream ended before its terminal signal.
    Truncated,
    /// The peer does not speak the protocol.
    Protocol,
    /// Something is larger than its limit.
    TooLarge,
    /// The WebSocket was closed before the end.
    Closed,
    /// The request was cancelled.
    Cancelled,
}

impl FailureKind {
    /// The name as it stands in JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Api => "api",
            Self::Truncated => "truncated",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far an attempt had come, in the order in which it comes there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// There is no connection yet: settings, credentials, name look-up, connection, proxy.
    #[default]
    Connect,
    /// The connection is there, and TLS with the service is being agreed on.
    Tls,
    /// The connection is ready, and the service has looked at nothing of the request: none of it was sent, or the
    /// service says so (HTTP/2).
    Sending,
    /// The request was sent, at least in part; the response head is awaited.
    Head,
    /// The head arrived, the first event is awaited.
    FirstEvent,
    /// Events were arriving.
    Streaming,
}

impl Phase {
    /// The short name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Sending => "sending",
            Self::Head => "head",
            Self::FirstEvent => "first_event",
            Self::Streaming => "streaming",
        }
    }
}

/// In words, as in messages: "waiting for the response head".
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Tls => "agreeing on TLS",
            Self::Sending => "sending the request",
            Self::Head => "waiting for the response head",
            Self::FirstEvent => "waiting for the first event",
            Self::Streaming => "streaming",
        })
    }
}

/// Why a request ended without an answer, with all that is known about it.
///
/// Serialises as the `error` object of the command line's JSON output.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// How far the last attempt had come.
    pub phase: Phase,
    /// For [`FailureKind::Api`] the service's message, verbatim; otherwise one sentence of ours.
    pub message: String,
    /// The service's error code ([`ApiError::name`]), or [`ENHANCE_YOUR_CALM`](Self::ENHANCE_YOUR_CALM).
    pub code: Option<String>,
    /// The service's own error object.
    pub api: Option<ApiError>,
    /// The HTTP status, where a status is part of the failure.
    pub status: Option<u16>,
    /// The WebSocket close code.
    pub close_code: Option<u16>,
    /// The service's id of the request, for its support.
    pub request_id: Option<String>,
    /// When the service wants to be asked again, from now.
    pub retry_after: Option<Duration>,
    /// Attempts made, the first included.
    pub attempts: u32,
    /// Whether another try of the same request could succeed, whether or not tries were left.
    pub retryable: bool,
    /// Why no other attempt followed, where one could have helped: attempts or waiting time used up, output delivered.
    pub gave_up: Option<String>,
    /// Whether anything but `created` had reached the caller in the last attempt.
    pub output_delivered: bool,
}

impl Failure {
    /// The code of a broken stream or connection whose server asks for fewer requests by a means of HTTP/2 (RFC 9113,
    /// section 7), and not in words.
    pub const ENHANCE_YOUR_CALM: &str = "ENHANCE_YOUR_CALM";

    /// A failure of a kind, with the kind's usual answer to "retryable?".
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let retryable = match kind {
            FailureKind::Dns
            | FailureKind::Connect
            | FailureKind::Timeout
            | FailureKind::Truncated
            | FailureKind::Protocol
            | FailureKind::Closed => true,
            FailureKind::Config
            | FailureKind::Tls
            | FailureKind::Proxy
            | FailureKind::Status
            | FailureKind::Api
            | FailureKind::TooLarge
            | FailureKind::Cancelled => false,
        };
        Self {
            kind,
            phase: Phase::default(),
            message: message.into(),
            code: None,
            api: None,
            status: None,
            close_code: None,
            request_id: None,
            retry_after: None,
            attempts: 1,
            retryable,
            gave_up: None,
            output_delivered: false,
        }
    }

    /// The failure that the service itself reported.
    pub fn from_api(error: ApiError) -> Self {
        Self {
            code: error.name().map(str::to_owned),
            status: error.status,
            retryable: error.class().is_retryable(),
            message: error.message.clone(),
            api: Some(error),
            ..Self::new(FailureKind::Api, String::new())
        }
    }

    /// The class of the service's error code, or of the HTTP status that it refused the request with; `None` where the
    /// failure is not the service's word.
    pub fn class(&self) -> Option<ErrorClass> {
        let by_status = || self.status.filter(|_| self.kind == FailureKind::Status).map(classify_status);
        self.api.as_ref().map(ApiError::class).or_else(by_status)
    }

    /// The same failure, in a phase.
    pub fn in_phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl Error for Failure {}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The fields that are shown, in their order.
        #[derive(Serialize)]
        #[serde(rename = "Failure")]
        struct Shown<'f> {
            kind: FailureKind,
            #[serde(skip_serializing_if = "Option::is_none")]
            code: Option<&'f str>,
            message: &'f str,
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<u16>,
            #[serde(skip_serializing_if = "Option::is_none")]
            close_code: Option<u16>,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'f str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after_ms: Option<u64>,
            attempts: u32,
            retryable: bool,
            output_delivered: bool,
        }

        let shown = Shown {
            kind: self.kind,
            code: self.code.as_deref(),
            message: &self.message,
            status: self.status,
            close_code: self.close_code,
            request_id: self.request_id.as_deref(),
            retry_after_ms: self.retry_after.map(|wait| wait.as_millis() as u64),
            attempts: self.attempts,
            retryable: self.retryable,
            output_delivered: self.output_delivered,
        };
        shown.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_has_the_same_short_name_in_json() {
        for phase in [Phase::Connect, Phase::Tls, Phase::Sending, Phase::Head, Phase::FirstEvent, Phase::Streaming] {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.as_str());
        }
    }
}
