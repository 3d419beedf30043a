//! The kinds of failure.

use crate::table::{Charge, Connection, Repair, Retries};

/// What kind of failure, as far as trying again is concerned.
///
/// "Charged" means that a retry takes a token of the pacing budget: so for every failure that the service saw or may
/// have seen. What never reached it costs back-off alone. "Fresh" means that the retry needs a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// The same request fails again, and something says so: an error code, a certificate, a proxy that wants
    /// credentials, a limit, the user. Never retried, whatever the service hints.
    Terminal,
    /// A status that does not get better (most of 4xx), without a code that says more. Retried only when the service
    /// asks for it.
    Rejected,
    /// The credentials were refused. Repaired once, by refreshed credentials.
    Unauthorized,
    /// The previous response is not known. Repaired once, by the full input.
    UnknownPrevious,
    /// The socket has reached its age limit. Repaired once by a fresh one, then retried and charged.
    SocketTooOld,
    /// The request provably never left, or was refused unprocessed. Repaired once, then retried. Fresh. Where the
    /// transport repairs by itself, say so with [`Ledger::note_repair`](crate::Ledger::note_repair).
    NotSent,
    /// A connection that was kept from an earlier request closed before one byte of the answer. Repaired once, then
    /// retried and charged. Fresh.
    Stale,
    /// The name does not resolve. Retried.
    Dns,
    /// The connection was refused, or there is no way there. Retried.
    Connect,
    /// No connection in time. Retried.
    ConnectTimeout,
    /// The TLS handshake failed, not for the certificate. Retried as often as [`Protocol`](Self::Protocol), charged.
    Tls,
    /// The TLS handshake stalled. Retried, charged.
    TlsTimeout,
    /// The proxy is down, or cannot get there. Retried.
    Proxy,
    /// A connection closed after the request, before one byte of the answer. Retried, charged, fresh.
    Unanswered,
    /// No response head, or no first event, in time. Retried, charged, fresh.
    HeadTimeout,
    /// The stream stopped, but the connection stayed. Retried, charged, fresh; the first wait is a reconnect's.
    Idle,
    /// The stream was cut. Retried, charged, fresh; the first wait is a reconnect's.
    Cut,
    /// The stream was cut, and probably others with it: WebSocket close 1001, 1012 or 1013, GOAWAY, several streams
    /// within a second. Retried, charged, fresh; the wait is spread widely.
    ServerEvent,
    /// What came is no answer of the service: not the protocol, somebody else's page, a misdirected request. Retried
    /// [once](crate::Policy::protocol_retries), charged, fresh.
    Protocol,
    /// Too many requests for now. Retried, charged, not before the [floor](crate::Policy::rate_limit_floor).
    RateLimited,
    /// The service has more work than it can do. Retried, charged, with a [longer base](crate::Policy::overload_base).
    Overloaded,
    /// The service failed on its side. Retried, charged.
    Server,
    /// An error whose code says nothing. Retried [twice](crate::Policy::unknown_retries), charged.
    Unknown,
}

impl FailureClass {
    /// Every class, in the order of the table.
    pub const ALL: &'static [Self] = &[
        Self::Terminal,
        Self::Rejected,
        Self::Unauthorized,
        Self::UnknownPrevious,
        Self::SocketTooOld,
        Self::NotSent,
        Self::Stale,
        Self::Dns,
        Self::Connect,
        Self::ConnectTimeout,
        Self::Tls,
        Self::TlsTimeout,
        Self::Proxy,
        Self::Unanswered,
        Self::HeadTimeout,
        Self::Idle,
        Self::Cut,
        Self::ServerEvent,
        Self::Protocol,
        Self::RateLimited,
        Self::Overloaded,
        Self::Server,
        Self::Unknown,
    ];

    /// Whether another try, or a repair, can help at all, were there attempts left.
    pub const fn is_retryable(self) -> bool {
        let row = self.row();
        !matches!((row.retries, row.repair), (Retries::Never | Retries::OnRequest, Repair::No))
    }

    /// Whether a retry takes a token of the pacing budget.
    pub const fn is_charged(self) -> bool {
        matches!(self.row().charge, Charge::Token)
    }

    /// Whether a retry needs a new connection.
    pub const fn wants_fresh_connection(self) -> bool {
        matches!(self.row().connection, Connection::Fresh)
    }

    /// The place in [`ALL`](Self::ALL).
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::FailureClass;

    #[test]
    fn every_class_stands_at_its_own_place() {
        for (at, class) in FailureClass::ALL.iter().copied().enumerate() {
            assert_eq!(class.index(), at, "{class:?}");
        }
    }
}
