//! Request heads: bytes in, meaning out (RFC 9112 §3 and §6).

use httparse::{EMPTY_HEADER, Header, Status};

use crate::refusal::Refusal;

/// The largest request head, in bytes.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
/// The largest request body, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024 * 1024;
/// The largest number of header lines.
const MAX_HEADERS: usize = 256;

/// A request head that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: BodyLength,
    pub(crate) expect: Expect,
    pub(crate) persistence: Persistence,
}

/// How the end of a request body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Known(usize),
    Chunked,
}

/// Whether the client waits for a go-ahead before it sends the body (RFC 9110 §10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Continue,
    Nothing,
}

/// Whether the connection goes on after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    KeepAlive,
    Close,
}

/// Parses the head at the start of `bytes`: its length and what it says, or `None` when more bytes
/// are needed.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, Refusal> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(Status::Complete(length)) if length <= MAX_HEAD => length,
        Ok(Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
        Ok(_) => {
            return Err(Refusal::new(431, format!("the request head is larger than {MAX_HEAD} bytes")));
        }
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(431, format!("the request has more than {MAX_HEADERS} headers")));
        }
        Err(error) => {
            return Err(Refusal::malformed(format!("malformed request head: {error}")));
        }
    };
    let method = request.method.unwrap_or_default();
    if method == "HEAD" {
        return Err(Refusal::head_method());
    }
    if request.version != Some(1) {
        return Err(Refusal::new(505, "only HTTP/1.1 is spoken here"));
    }
    let head = Head {
        method: method.to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        body: body_length(request.headers)?,
        expect: if has_token(request.headers, "expect", "100-continue") { Expect::Continue } else { Expect::Nothing },
        persistence: if has_token(request.headers, "connection", "close") {
            Persistence::Close
        } else {
            Persistence::KeepAlive
        },
        headers: request
            .headers
            .iter()
            .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
            .collect(),
    };
    Ok(Some((length, head)))
}

fn values<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

/// Whether a comma-separated header lists `token`.
fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// RFC 9112 §6.3, and stricter: two statements about the length are refused, agreeing or not.
fn body_length(headers: &[Header<'_>]) -> Result<BodyLength, Refusal> {
    let codings: Vec<_> = values(headers, "transfer-encoding").collect();
    let lengths: Vec<_> = values(headers, "content-length").collect();
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(BodyLength::Known(0)),
        ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => Ok(BodyLength::Chunked),
        ([], [length]) => content_length(length).map(BodyLength::Known),
        (_, []) => Err(Refusal::malformed("the only transfer coding understood here is chunked")),
        _ => Err(Refusal::malformed("the request states the length of its body more than once")),
    }
}

fn content_length(value: &[u8]) -> Result<usize, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::malformed("content-length is not a number"));
    }
    // Only digits are left, so a number that does not fit is a number that is too large.
    match std::str::from_utf8(value).map(str::parse::<usize>) {
        Ok(Ok(length)) if length <= MAX_BODY => Ok(length),
        _ => Err(body_too_large()),
    }
}

/// The refusal of a body above [`MAX_BODY`].
pub(crate) fn body_too_large() -> Refusal {
    Refusal::new(413, format!("the request body is larger than {MAX_BODY} bytes"))
}
