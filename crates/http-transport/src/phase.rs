//! How far an exchange has come.

use std::fmt;

/// The step an exchange is in, in the order in which the steps happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Looking up the addresses of the host, or of the proxy.
    Dns,
    /// Opening the TCP connection, on several addresses if need be.
    Connect,
    /// Getting through a proxy: TLS to the proxy itself, and the tunnel.
    Proxy,
    /// The TLS handshake with the server.
    Tls,
    /// Writing the request.
    Sending,
    /// The request is written; waiting for the response head to be complete.
    Head,
    /// The head is there; the body is being read.
    Body,
    /// The body ended cleanly, or the connection left HTTP.
    Done,
}

impl Phase {
    /// A short lower-case name, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Sending => "sending",
            Self::Head => "head",
            Self::Body => "body",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
