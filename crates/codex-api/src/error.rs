//! The one error type for callers.

use std::{error::Error as StdError, fmt, time::Duration};

use response_events::{ErrorClass, Failure, FailureKind, Phase};

use crate::BoxError;

/// Why a request has no answer.
///
/// `Display` is the service's message verbatim where the service reported the failure (with its code behind it), and
/// one sentence otherwise; the chain of causes is in `source()`. Holds no secrets.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
struct Inner {
    failure: Failure,
    source: Option<BoxError>,
}

impl Error {
    pub(crate) fn new(failure: Failure, source: Option<BoxError>) -> Self {
        Self(Box::new(Inner { failure, source }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(Failure::new(FailureKind::Config, message), None)
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Everything that is known of the failure, as plain data.
    pub fn failure(&self) -> &Failure {
        &self.0.failure
    }

    /// The same, for who keeps it: without the errors behind it.
    pub fn into_failure(self) -> Failure {
        self.0.failure
    }

    /// What kind of failure.
    pub fn kind(&self) -> FailureKind {
        self.0.failure.kind
    }

    /// How far the last attempt had come.
    pub fn phase(&self) -> Phase {
        self.0.failure.phase
    }

    /// The service's message, verbatim, or one sentence of ours.
    pub fn message(&self) -> &str {
        &self.0.failure.message
    }

    /// The service's error code.
    pub fn code(&self) -> Option<&str> {
        self.0.failure.code.as_deref()
    }

    /// The class of the service's error code, or of the HTTP status that it refused the request with. `None` where the
    /// failure is not the service's word: its connection was lost, say.
    pub fn class(&self) -> Option<ErrorClass> {
        self.0.failure.class()
    }

    /// The HTTP status, where one is part of the failure.
    pub fn status(&self) -> Option<u16> {
        self.0.failure.status
    }

    /// The WebSocket close code.
    pub fn close_code(&self) -> Option<u16> {
        self.0.failure.close_code
    }

    /// The service's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.failure.request_id.as_deref()
    }

    /// When the service wants to be asked again, from now.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.failure.retry_after
    }

    /// Attempts made, the first included.
    pub fn attempts(&self) -> u32 {
        self.0.failure.attempts
    }

    /// Whether anything but `created` had been delivered in the last attempt.
    pub fn output_delivered(&self) -> bool {
        self.0.failure.output_delivered
    }

    /// Whether another try of the same request could succeed.
    pub fn is_retryable(&self) -> bool {
        self.0.failure.retryable
    }

    /// Why no other attempt followed, where one could have helped: attempts or waiting time used up, output delivered.
    pub fn gave_up(&self) -> Option<&str> {
        self.0.failure.gave_up.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown.field("failure", &self.0.failure);
        if let Some(source) = self.0.source() {
            shown.field("source", &source);
        }
        shown.finish()
    }
}
