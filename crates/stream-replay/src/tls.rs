//! TLS, as a server speaks it that may stop anywhere.

mod certificate;
mod session;

pub(crate) use certificate::{Certificate, TestAuthority};
pub(crate) use session::{TlsSession, flight};
