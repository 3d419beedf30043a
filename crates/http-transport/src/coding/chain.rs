//! The codings of one body.

use http::{HeaderMap, header};

use super::name::Coding;

/// One coding is usual, two are a mistake of some gateway, more are an attempt to make us work.
const LENGTH_LIMIT: usize = 3;

/// The codings that `content-encoding` names, in the order in which they were applied (RFC 9110, section 8.4), without
/// `identity`. `None` when one of them cannot be undone here, or when they are too many: then the head says it all, and
/// the body is best left alone.
pub(super) fn named_in(headers: &HeaderMap) -> Option<Vec<Coding>> {
    let values = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let names = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let mut codings = Vec::new();
    for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity")) {
        let coding = Coding::from_name(name).filter(|coding| coding.is_built_in())?;
        if codings.len() == LENGTH_LIMIT {
            return None;
        }
        codings.push(coding);
    }
    Some(codings)
}
