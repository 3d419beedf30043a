//! What the process answers to the shell.

use response_events::{Failure, FailureKind};

/// The exit status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: every request completed, or is incomplete for a stated reason.
    Success,
    /// 1: the last failure came from the service.
    Service,
    /// 2: the command line or the configuration cannot be used.
    Usage,
    /// 3: the last failure came from the way to the service, or a limit was reached.
    Way,
    /// 130: the user interrupted the run.
    Interrupted,
}

impl ExitStatus {
    /// The status for how a request ended; `None` is a good end.
    pub fn of(failure: Option<&Failure>) -> Self {
        match failure.map(|failure| failure.kind) {
            None => Self::Success,
            Some(FailureKind::Config) => Self::Usage,
            Some(FailureKind::Api | FailureKind::Status) => Self::Service,
            Some(FailureKind::Cancelled) => Self::Interrupted,
            Some(_) => Self::Way,
        }
    }

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Service => 1,
            Self::Usage => 2,
            Self::Way => 3,
            Self::Interrupted => 130,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_its_status() {
        use FailureKind as K;
        assert_eq!(ExitStatus::of(None).code(), 0);
        for (code, kinds) in [
            (1, &[K::Api, K::Status][..]),
            (2, &[K::Config]),
            (3, &[K::Dns, K::Connect, K::Tls, K::Proxy, K::Timeout, K::Truncated, K::Protocol, K::TooLarge, K::Closed]),
            (130, &[K::Cancelled]),
        ] {
            for kind in kinds {
                assert_eq!(ExitStatus::of(Some(&Failure::new(*kind, "x"))).code(), code, "{kind}");
            }
        }
    }
}
