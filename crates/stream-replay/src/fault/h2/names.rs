//! What RFC 9113 calls its numbers.

/// Types of frames, from 0 (§6).
pub(super) const FRAME_TYPES: [&str; 10] = [
    "data",
    "headers",
    "priority",
    "rst_stream",
    "settings",
    "push_promise",
    "ping",
    "goaway",
    "window_update",
    "continuation",
];

/// Error codes, from 0 (§7).
pub(super) const REASONS: [&str; 14] = [
    "no_error",
    "protocol_error",
    "internal_error",
    "flow_control_error",
    "settings_timeout",
    "stream_closed",
    "frame_size_error",
    "refused_stream",
    "cancel",
    "compression_error",
    "connect_error",
    "enhance_your_calm",
    "inadequate_security",
    "http_1_1_required",
];

pub(super) const PROTOCOL_ERROR: u32 = 1;
pub(super) const COMPRESSION_ERROR: u32 = 9;
pub(super) const ENHANCE_YOUR_CALM: u32 = 11;

/// Settings, from 1 (§6.5.2).
pub(super) const SETTINGS: [&str; 6] = [
    "header_table_size",
    "enable_push",
    "max_concurrent_streams",
    "initial_window_size",
    "max_frame_size",
    "max_header_list_size",
];

/// The number of a name in one of the lists, in any case, or of a number.
pub(super) fn number<T: TryFrom<usize> + std::str::FromStr>(name: &str, list: &[&str], first: usize) -> Option<T> {
    let known = list.iter().position(|known| known.eq_ignore_ascii_case(name));
    known.and_then(|at| T::try_from(at + first).ok()).or_else(|| name.parse().ok())
}
