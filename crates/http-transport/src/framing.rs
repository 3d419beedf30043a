//! Where the body of an HTTP/1.1 answer ends, as far as hyper leaves that open.

use http::{Response, Version, header};

use crate::list;

/// What the head says about the body's end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Clear,
    /// Others may see another end than hyper does, and who sent this may be one of them: what comes behind it on the
    /// connection must not be taken for the next answer.
    Doubtful,
    /// The body is in a transfer coding that nobody asked for (RFC 9112, section 7.4), and that is not undone.
    Foreign(String),
}

impl Framing {
    pub(crate) fn of<B>(response: &Response<B>) -> Self {
        let headers = response.headers();
        let codings = || list::members(headers, header::TRANSFER_ENCODING);
        let is_known = |coding: &&[u8]| [b"chunked", &b"identity"[..]].iter().any(|it| coding.eq_ignore_ascii_case(it));
        if let Some(foreign) = codings().find(|coding| !is_known(coding)) {
            return Self::Foreign(String::from_utf8_lossy(foreign).to_ascii_lowercase());
        }
        // RFC 9112, section 6.3: a length beside them is how answers are smuggled.
        let is_contested = match codings().count() {
            0 => false,
            1 => headers.contains_key(header::CONTENT_LENGTH),
            _ => true,
        };
        // The next request would be one of HTTP/1.0, too, whose answers have no chunks: a cut could not be seen.
        if is_contested || response.version() == Version::HTTP_10 { Self::Doubtful } else { Self::Clear }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: Version, headers: &[(&str, &str)], expected: &Framing) {
        let response =
            headers.iter().fold(Response::builder().version(version), |head, (name, value)| head.header(*name, *value));
        assert_eq!(Framing::of(&response.body(()).unwrap()), *expected, "{version:?} {headers:?}");
    }

    #[test]
    fn an_end_that_could_be_seen_elsewhere_is_doubtful() {
        use Framing::{Clear, Doubtful};

        let (coding, length) = ("transfer-encoding", "content-length");
        for clear in
            [&[][..], &[(length, "5")], &[(length, "5"), (length, "5")], &[(coding, "Chunked")], &[(coding, "")]]
        {
            check(Version::HTTP_11, clear, &Clear);
        }
        for doubtful in [
            &[(coding, "chunked"), (length, "5")][..],
            &[(length, "5"), (coding, "chunked")],
            &[(coding, "identity"), (length, "5")],
            &[(coding, "chunked"), (coding, "chunked")],
            &[(coding, "identity, chunked")],
        ] {
            check(Version::HTTP_11, doubtful, &Doubtful);
        }
        check(Version::HTTP_10, &[("connection", "keep-alive"), (length, "5")], &Doubtful);
    }

    #[test]
    fn a_coding_that_is_not_undone_is_named() {
        for (value, name) in [
            ("gzip, chunked", "gzip"),
            ("chunked, GZip", "gzip"),
            ("chunked;q=1", "chunked;q=1"),
            ("xchunked", "xchunked"),
        ] {
            check(Version::HTTP_11, &[("transfer-encoding", value)], &Framing::Foreign(name.to_owned()));
        }
    }
}
