//! The steps of one connection.

use std::sync::Arc;

use bytes::Bytes;

use super::course::Course;
use super::h2::Http2Step;
#[cfg(feature = "tls")]
use super::tls::TlsStep;
use crate::script::{End, Step};

/// What is done to one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Section(Arc<[FaultStep]>);

/// One line of a script.
#[derive(Debug, Clone)]
pub(crate) enum FaultStep {
    Read(Read),
    Do(Step),
    /// Bytes past TLS.
    SendBelow(Bytes),
    Http2(Http2Step),
    #[cfg(feature = "tls")]
    Tls(TlsStep),
    Repeat {
        times: Times,
        steps: Vec<FaultStep>,
    },
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read {
    /// A request head; it is recorded.
    Head,
    /// A request; it is recorded.
    Request,
    Bytes(usize),
    /// One record, or something that cannot become one (RFC 8446 §5.1).
    TlsRecord,
}

/// How often steps are done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Times {
    /// At least once.
    Count(u64),
    Forever,
}

impl Section {
    pub(super) fn new(steps: Vec<FaultStep>) -> Self {
        Self(steps.into())
    }

    /// The steps in the order in which they are done.
    pub(crate) fn course(&self) -> Course<'_> {
        Course::new(&self.0)
    }

    /// Whether TLS is spoken with a certificate that the server has to make.
    #[cfg(feature = "tls")]
    pub(super) fn wants_authority(&self) -> bool {
        self.0.iter().any(|step| matches!(step, FaultStep::Tls(step) if step.wants_authority()))
    }

    pub(super) fn serves(&self) -> bool {
        // An end is never inside of a repetition.
        matches!(self.0.last(), Some(FaultStep::Do(Step::End(End::KeepAlive))))
    }
}
