//! The one table that says what each kind of failure means for a retry.

use crate::FailureClass;

/// How often a class is retried, its repair aside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retries {
    Never,
    /// Only when the service says `x-should-retry: true`.
    OnRequest,
    /// As often as `protocol_retries` has it.
    ProtocolLimit,
    /// As often as `unknown_retries` has it.
    UnknownLimit,
    /// As often as attempts and waits allow.
    Limits,
}

/// How a class is repaired before it is retried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    No,
    /// Once, at once.
    Now,
    /// Once, within the window of a lone reconnect.
    Reconnect,
}

/// Whether a retry takes a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    No,
    Token,
}

/// Whether a retry needs a new connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    Keep,
    Fresh,
}

/// How long a retry waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backoff {
    Standard,
    RateLimit,
    Overload,
    LoneCut,
    ServerEvent,
}

/// Whether two such failures before the first event speak against the transport. A name that does not resolve and an
/// answer of the service do not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    None,
    Transport,
}

/// What the table says about one class.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) retries: Retries,
    pub(crate) repair: Repair,
    pub(crate) charge: Charge,
    pub(crate) connection: Connection,
    pub(crate) backoff: Backoff,
    pub(crate) blame: Blame,
}

const fn row(
    retries: Retries,
    repair: Repair,
    charge: Charge,
    connection: Connection,
    backoff: Backoff,
    blame: Blame,
) -> Row {
    Row { retries, repair, charge, connection, backoff, blame }
}

impl FailureClass {
    /// The table. Rows that say the same stay apart, so that each can be read and changed alone.
    #[rustfmt::skip]
    #[allow(clippy::match_same_arms)]
    pub(crate) const fn row(self) -> Row {
        use {Backoff as B, Blame as F, Charge as C, Connection as N, Repair as P, Retries as R};
        match self {
            // class                 retries           repair        charge    connection back-off        blame
            Self::Terminal        => row(R::Never,         P::No,        C::No,    N::Keep,  B::Standard,    F::None),
            Self::Rejected        => row(R::OnRequest,     P::No,        C::Token, N::Keep,  B::Standard,    F::None),
            Self::Unauthorized    => row(R::Never,         P::Now,       C::No,    N::Keep,  B::Standard,    F::None),
            Self::UnknownPrevious => row(R::Never,         P::Now,       C::No,    N::Keep,  B::Standard,    F::None),
            Self::SocketTooOld    => row(R::Limits,        P::Reconnect, C::Token, N::Fresh, B::Standard,    F::None),
            Self::NotSent         => row(R::Limits,        P::Now,       C::No,    N::Fresh, B::Standard,    F::Transport),
            Self::Stale           => row(R::Limits,        P::Now,       C::Token, N::Fresh, B::Standard,    F::Transport),
            Self::Dns             => row(R::Limits,        P::No,        C::No,    N::Fresh, B::Standard,    F::None),
            Self::Connect         => row(R::Limits,        P::No,        C::No,    N::Fresh, B::Standard,    F::Transport),
            Self::ConnectTimeout  => row(R::Limits,        P::No,        C::No,    N::Fresh, B::Standard,    F::Transport),
            Self::Tls             => row(R::ProtocolLimit, P::No,        C::Token, N::Fresh, B::Standard,    F::Transport),
            Self::TlsTimeout      => row(R::Limits,        P::No,        C::Token, N::Fresh, B::Standard,    F::Transport),
            Self::Proxy           => row(R::Limits,        P::No,        C::No,    N::Fresh, B::Standard,    F::Transport),
            Self::Unanswered      => row(R::Limits,        P::No,        C::Token, N::Fresh, B::Standard,    F::Transport),
            Self::HeadTimeout     => row(R::Limits,        P::No,        C::Token, N::Fresh, B::Standard,    F::Transport),
            Self::Idle            => row(R::Limits,        P::No,        C::Token, N::Fresh, B::LoneCut,     F::Transport),
            Self::Cut             => row(R::Limits,        P::No,        C::Token, N::Fresh, B::LoneCut,     F::Transport),
            Self::ServerEvent     => row(R::Limits,        P::No,        C::Token, N::Fresh, B::ServerEvent, F::None),
            Self::Protocol        => row(R::ProtocolLimit, P::No,        C::Token, N::Fresh, B::Standard,    F::Transport),
            Self::RateLimited     => row(R::Limits,        P::No,        C::Token, N::Keep,  B::RateLimit,   F::None),
            Self::Overloaded      => row(R::Limits,        P::No,        C::Token, N::Keep,  B::Overload,    F::None),
            Self::Server          => row(R::Limits,        P::No,        C::Token, N::Keep,  B::Standard,    F::None),
            Self::Unknown         => row(R::UnknownLimit,  P::No,        C::Token, N::Keep,  B::Standard,    F::None),
        }
    }
}
