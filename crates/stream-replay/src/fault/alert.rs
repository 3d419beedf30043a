//! Alerts in the clear, as a server sends them before the handshake has keys (RFC 8446 §6).

use bytes::Bytes;

use super::error::Wrong;
use super::words::Words;

const ALERTS: [(&str, u8); 27] = [
    ("close_notify", 0),
    ("unexpected_message", 10),
    ("bad_record_mac", 20),
    ("record_overflow", 22),
    ("handshake_failure", 40),
    ("bad_certificate", 42),
    ("unsupported_certificate", 43),
    ("certificate_revoked", 44),
    ("certificate_expired", 45),
    ("certificate_unknown", 46),
    ("illegal_parameter", 47),
    ("unknown_ca", 48),
    ("access_denied", 49),
    ("decode_error", 50),
    ("decrypt_error", 51),
    ("protocol_version", 70),
    ("insufficient_security", 71),
    ("internal_error", 80),
    ("inappropriate_fallback", 86),
    ("user_canceled", 90),
    ("missing_extension", 109),
    ("unsupported_extension", 110),
    ("unrecognized_name", 112),
    ("bad_certificate_status_response", 113),
    ("unknown_psk_identity", 115),
    ("certificate_required", 116),
    ("no_application_protocol", 120),
];

/// A record of TLS 1.2 with a fatal alert, which clients of every version read.
pub(super) fn alert(words: &mut Words) -> Result<Bytes, Wrong> {
    let expected = words.expected("an alert, by its name in RFC 8446 or its number");
    let name = words.word("an alert, by its name in RFC 8446 or its number")?;
    let known = ALERTS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    let number = known.or_else(|| name.parse().ok()).ok_or(expected)?;
    Ok(Bytes::copy_from_slice(&[21, 3, 3, 0, 2, 2, number]))
}
