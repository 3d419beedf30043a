use std::fmt;

/// Why a connection was closed (RFC 6455, section 7.4, and the IANA registry of close codes).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

/// What a [`CloseCode`] says about the next attempt. It is a fact about the code, not a decision to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseClass {
    /// 1000: the purpose of the connection is fulfilled.
    Normal,
    /// 1001, 1012, 1013: the server goes away, restarts or is overloaded; this concerns all of its connections.
    ServerEvent,
    /// 1005, 1006, 1011, 1014, 1015: the connection or its server broke; a new one may work.
    Recoverable,
    /// 1002, 1003, 1007, 1010: one side did not understand the other.
    Protocol,
    /// 1008: refused by a policy; the reason may say which.
    Policy,
    /// 1009: a message was too big for the other side; the same message fails again.
    TooBig,
    /// 3000 to 4999: registered by libraries or private to the application.
    Application,
    /// 0 to 999, 1004, 1016 to 2999, 5000 and above: no meaning; never accepted from the wire.
    Unassigned,
}

impl CloseCode {
    /// 1000.
    pub const NORMAL: Self = Self(1000);
    /// 1001.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002.
    pub const PROTOCOL: Self = Self(1002);
    /// 1003: a type of data that is not accepted, such as a binary message.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1005: the peer's Close had no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a Close. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: text that is not UTF-8.
    pub const INVALID_TEXT: Self = Self(1007);
    /// 1008.
    pub const POLICY: Self = Self(1008);
    /// 1009.
    pub const TOO_BIG: Self = Self(1009);
    /// 1011: the server met an unexpected condition.
    pub const INTERNAL: Self = Self(1011);
    /// 1012: the service restarts.
    pub const RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN: Self = Self(1013);
    /// 1015: the TLS handshake failed. Never on the wire.
    pub const TLS: Self = Self(1015);

    /// The code with this number, whatever it is.
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// The class of the code.
    pub const fn class(self) -> CloseClass {
        match self.0 {
            1000 => CloseClass::Normal,
            1001 | 1012 | 1013 => CloseClass::ServerEvent,
            1005 | 1006 | 1011 | 1014 | 1015 => CloseClass::Recoverable,
            1002 | 1003 | 1007 | 1010 => CloseClass::Protocol,
            1008 => CloseClass::Policy,
            1009 => CloseClass::TooBig,
            3000..=4999 => CloseClass::Application,
            _ => CloseClass::Unassigned,
        }
    }

    /// Whether a Close frame may carry the code: every assigned one but 1005, 1006 and 1015.
    pub const fn is_allowed_on_wire(self) -> bool {
        !matches!(self.0, 1005 | 1006 | 1015) && !matches!(self.class(), CloseClass::Unassigned)
    }

    /// What the registry calls it; empty for application codes and unassigned ones.
    const fn name(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1005 => "no status",
            1006 => "abnormal closure",
            1007 => "invalid text",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "extension missing",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            1015 => "TLS handshake failed",
            _ => "",
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "" => write!(f, "{}", self.0),
            name => write!(f, "{} ({name})", self.0),
        }
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({self})")
    }
}
