//! Bodies that are compressed, and whose heads do not say so.

/// What data in a coding begins with (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1).
const MARKS: [(&str, &[u8]); 2] = [("gzip", b"\x1f\x8b"), ("zstd", b"\x28\xb5\x2f\xfd")];

/// The content coding that data seems to be in.
pub(crate) fn seeming_coding(data: &[u8]) -> Option<&'static str> {
    MARKS.iter().find(|(_, mark)| data.starts_with(mark)).map(|(name, _)| *name)
}

/// Whether data may become such as more of it comes.
pub(crate) fn may_be_coded(data: &[u8]) -> bool {
    MARKS.iter().any(|(_, mark)| mark.starts_with(data))
}

/// What there is to say of a body that seems to be in a coding: nobody could read it.
pub(crate) fn described(coding: &str) -> String {
    format!("a body that seems to be {coding}, which its content-encoding does not say")
}
