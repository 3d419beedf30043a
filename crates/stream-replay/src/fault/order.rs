//! What must come before what on a connection.

use super::h2::Http2Step;
use super::section::{FaultStep, Read};
#[cfg(feature = "tls")]
use super::tls::TlsStep;
use crate::script::{End, Step};

/// What was said to a connection so far.
#[derive(Debug, Default)]
pub(super) struct Order {
    http2: Said,
    /// A request was read over HTTP/2, and has a stream.
    request: Said,
    #[cfg(feature = "tls")]
    handshake: Said,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Said {
    #[default]
    No,
    Yes,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Sequence,
    Repetition,
}

impl Order {
    /// Takes note of a step. Errors with what is wrong with it, as the end of a sentence.
    pub(super) fn check(&mut self, step: &FaultStep, place: Place) -> Result<(), &'static str> {
        match step {
            FaultStep::Http2(step) => self.check_http2(step, place),
            FaultStep::Read(Read::Head | Read::Request) => {
                self.request = self.http2;
                Ok(())
            }
            FaultStep::Read(Read::Bytes(_) | Read::TlsRecord) if self.http2 == Said::Yes => {
                Err("what HTTP/2 brings is read by `read-head`, `read-request` and `h2-read`")
            }
            FaultStep::Do(Step::End(End::KeepAlive)) if self.http2 == Said::Yes => {
                Err("the answers of the server are HTTP/1.1, which nobody speaks behind `h2-preface`")
            }
            #[cfg(feature = "tls")]
            FaultStep::Tls(step) => self.check_tls(step, place),
            _ => Ok(()),
        }
    }

    fn check_http2(&mut self, step: &Http2Step, place: Place) -> Result<(), &'static str> {
        match (step, self.http2) {
            (Http2Step::Preface, Said::Yes) => Err("a connection has one preface"),
            (Http2Step::Preface, Said::No) if place == Place::Repetition => Err("a connection has one preface"),
            (Http2Step::Preface, Said::No) => {
                self.http2 = Said::Yes;
                Ok(())
            }
            (Http2Step::Read(_) | Http2Step::IgnorePings, Said::No) => Err("`h2-preface` comes first"),
            (step, _) if step.is_about_a_request() && self.request == Said::No => {
                Err("`h2-preface` and `read-request` come first, or `stream N` says which stream is meant")
            }
            _ => Ok(()),
        }
    }

    #[cfg(feature = "tls")]
    fn check_tls(&mut self, step: &TlsStep, place: Place) -> Result<(), &'static str> {
        match (step, self.handshake) {
            (TlsStep::CloseNotify, Said::No) => Err("`tls-accept` comes first"),
            (TlsStep::CloseNotify, Said::Yes) => Ok(()),
            (TlsStep::Accept(_) | TlsStep::Begin(..), _) if self.http2 == Said::Yes => {
                Err("TLS comes before `h2-preface`")
            }
            (TlsStep::Accept(_) | TlsStep::Begin(..), Said::No) if place == Place::Sequence => {
                self.handshake = Said::Yes;
                Ok(())
            }
            (TlsStep::Accept(_) | TlsStep::Begin(..), _) => Err("a connection has one handshake"),
        }
    }
}
