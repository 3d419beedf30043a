//! Headers that are lists.

use http::{HeaderMap, HeaderName};

/// The members of a list, in the order of the headers, however many lines it has (RFC 9110, sections 5.3 and 5.6.1).
pub(crate) fn members(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}
