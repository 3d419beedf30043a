//! An error in one line.

use std::error::Error;
use std::io;
use std::iter::successors;

/// The error with its causes in one line, each behind a colon, for whoever keeps nothing but a line of it. A cause that
/// stands there already is left out: some errors repeat their cause.
///
/// Of a connection that the system ended only the kind is told, which has the same words everywhere. The system's own
/// words and number, and those of the libraries between, differ from machine to machine and from version to version,
/// and a message ends up in snapshots; they are in `source()`. So is what the libraries say of a certificate, and of
/// HTTP/2, where they quote all that the server says for debugging (RFC 9113, section 6.8): the error tells these in
/// better words.
pub fn with_causes(error: &dyn Error) -> String {
    let causes = || successors(error.source(), |&cause| cause.source()).take_while(|cause| !is_told(*cause));
    let ended = causes().last().and_then(<dyn Error>::downcast_ref).map(io::Error::kind).filter(|kind| is_end(*kind));
    let texts = match ended {
        Some(kind) => vec![kind.to_string()],
        None => causes().map(ToString::to_string).collect(),
    };
    texts.into_iter().fold(
        error.to_string(),
        |line, text| {
            if line.contains(&text) { line } else { format!("{line}: {text}") }
        },
    )
}

/// Whether a cause is in the message above it.
fn is_told(cause: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "http2")]
    if cause.downcast_ref::<h2::Error>().is_some_and(|error| error.reason().is_some()) {
        return true;
    }
    is_certificate(cause)
}

/// Whether a cause is what the libraries say of a server's certificate in a handshake.
fn is_certificate(cause: &(dyn Error + 'static)) -> bool {
    let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let error = wrapped.and_then(|wrapped| wrapped.downcast_ref::<rustls::Error>());
    matches!(error, Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether the kind of an I/O error says by itself what happened to a connection.
fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
        NetworkUnreachable, NotConnected, PermissionDenied, TimedOut, UnexpectedEof,
    };

    matches!(
        kind,
        BrokenPipe
            | ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | NetworkDown
            | NetworkUnreachable
            | NotConnected
            | PermissionDenied
            | TimedOut
            | UnexpectedEof
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Phase};

    #[track_caller]
    fn check(message: &str, cause: impl Error + Send + Sync + 'static, expected: &str) {
        let error = crate::Error::new(ErrorKind::Connect, Phase::Connect, message).with_source(cause);
        assert_eq!(with_causes(&error), expected);
    }

    #[test]
    fn causes_stand_behind_the_error_unless_it_tells_them() {
        check("no luck", io::Error::other("out of paper"), "no luck: out of paper");
        check("no luck", io::Error::new(io::ErrorKind::InvalidData, "strange"), "no luck: strange");
        check("no luck: out of paper", io::Error::other("out of paper"), "no luck: out of paper");
        check("out of paper, again", io::Error::other("out of paper"), "out of paper, again");
        let inner = crate::Error::new(ErrorKind::Connect, Phase::Connect, "b").with_source(io::Error::other("c"));
        check("a", inner, "a: b: c");
        let refused = || rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let inner = crate::Error::new(ErrorKind::Tls, Phase::Tls, "b").with_source(io::Error::other(refused()));
        check("a", inner, "a: b");
        check("a", refused(), "a: invalid peer certificate: Expired");
        #[cfg(feature = "http2")]
        check("a (CANCEL)", h2::Error::from(h2::Reason::CANCEL), "a (CANCEL)");
    }

    #[test]
    fn the_end_of_a_connection_is_told_in_the_same_words_everywhere() {
        let check = |end: io::Error, expected: &str| {
            let library = crate::Error::new(ErrorKind::Connect, Phase::Connect, "cannot read a body").with_source(end);
            check("the host ended the body", library, &format!("the host ended the body: {expected}"));
        };
        // The numbers of Linux: elsewhere they are others, and may mean nothing.
        #[cfg(target_os = "linux")]
        for (code, expected) in [(104, "connection reset"), (113, "host unreachable"), (32, "broken pipe")] {
            check(io::Error::from_raw_os_error(code), expected);
        }
        let eof = io::Error::new(io::ErrorKind::UnexpectedEof, "end of file before message length reached");
        check(eof, "unexpected end of file");
    }
}
