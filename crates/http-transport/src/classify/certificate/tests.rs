use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError as Reason, ExtendedKeyPurpose, OtherError};

use super::refusal;
use crate::dial::RefusedCertificate;

/// An error of a library below, by its words.
#[derive(Debug)]
struct Said(&'static str);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Said {}

fn other(name: &'static str) -> Reason {
    Reason::Other(OtherError(Arc::new(Said(name))))
}

fn refused(reason: Reason, issuer: Option<&str>) -> String {
    let refused = RefusedCertificate { reason, issuer: issuer.map(ToOwned::to_owned) };
    refusal(&Reason::Other(OtherError(Arc::new(refused))))
}

/// What is said of a certificate whose issuer has no name, and with a name.
#[track_caller]
fn check(reason: Reason, expected: &str) {
    assert_eq!(refused(reason.clone(), None), expected);
    assert_eq!(refused(reason, Some("Root")), format!("{expected} (issued by \"Root\")"));
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[test]
fn every_reason_is_a_sentence() {
    let (time, later) = (at(1_000_000), at(1_000_000 + 3 * 86_400));
    let host = ServerName::try_from("a.example").unwrap();
    let oid = Vec::new;
    #[expect(deprecated, reason = "verifiers may still have it")]
    let old_algorithm = Reason::UnsupportedSignatureAlgorithm;
    let reasons = [
        Reason::BadEncoding,
        Reason::Expired,
        Reason::ExpiredContext { time: later, not_after: time },
        Reason::NotValidYet,
        Reason::NotValidYetContext { time, not_before: later },
        Reason::Revoked,
        Reason::UnhandledCriticalExtension,
        Reason::UnknownIssuer,
        Reason::UnknownRevocationStatus,
        Reason::ExpiredRevocationList,
        Reason::ExpiredRevocationListContext { time: later, next_update: time },
        Reason::BadSignature,
        old_algorithm,
        Reason::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: oid(),
            supported_algorithms: Vec::new(),
        },
        Reason::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: oid(),
            public_key_algorithm_id: oid(),
        },
        Reason::NotValidForName,
        Reason::NotValidForNameContext { expected: host, presented: Vec::new() },
        Reason::InvalidPurpose,
        Reason::InvalidPurposeContext { required: ExtendedKeyPurpose::ServerAuth, presented: Vec::new() },
        Reason::InvalidOcspResponse,
        Reason::ApplicationVerificationFailure,
        other("CaUsedAsEndEntity"),
        other("the chain is too long"),
    ];
    for reason in reasons {
        for text in [refusal(&reason), refused(reason.clone(), None), refused(reason.clone(), Some("Root"))] {
            let name = format!("{reason:?}");
            let name = name.split([' ', '(']).next().unwrap();
            assert!(!text.contains(name) && !text.contains("Error"), "{name}: {text}");
            assert!(text.contains(' ') && !text.ends_with('.'), "{name}: {text}");
        }
    }
}

#[test]
fn times_are_told_as_spans() {
    let expired = |seconds: u64, span: &str| {
        let expected = format!("it (or an authority behind it) expired {span} ago, or this machine's clock is wrong");
        check(Reason::ExpiredContext { time: at(5_000_000), not_after: at(5_000_000 - seconds) }, &expected);
    };
    expired(0, "0 s");
    expired(119, "119 s");
    expired(120, "2 minutes");
    expired(2 * 3600, "2 hours");
    expired(47 * 3600, "47 hours");
    expired(48 * 3600, "2 days");
    expired(800 * 3600, "33 days");
    check(
        Reason::NotValidYetContext { time: at(10), not_before: at(10 + 7200) },
        "it (or an authority behind it) is not valid for another 2 hours, or this machine's clock is wrong",
    );
}

#[test]
fn the_hosts_of_a_certificate_are_told() {
    let check = |presented: &[&str], expected: &str| {
        let host = ServerName::try_from("a.example").unwrap();
        let presented = presented.iter().map(|name| (*name).to_owned()).collect();
        check(Reason::NotValidForNameContext { expected: host, presented }, &format!("{expected}, not for a.example"));
    };
    let none = "it has no host in its subjectAltName, where hosts have to stand (a common name does not count)";
    check(&[], none);
    check(&["DirectoryName", "Unsupported(0x81)"], none);
    check(&["DnsName(\"b.example\")"], "it is for b.example");
    check(&["DnsName(\"*.b.example\")", "IpAddress(10.0.0.1)"], "it is for *.b.example, 10.0.0.1");
    check(&["DnsName(\"x\u{1b}[1m\n\")"], "it is for x[1m");
    check(&["IpAddress(::1)"; 7], "it is for ::1, ::1, ::1, ::1, ::1 and 2 others");
    check(&[&format!("DnsName(\"{}\")", "x".repeat(300))], &format!("it is for {}", "x".repeat(100)));
}

#[test]
fn rules_without_a_reason_of_their_own_are_known_by_name_or_named() {
    check(other("NameConstraintViolation"), "an authority behind it must not sign for such names (name constraints)");
    check(other("EmptyEkuExtension"), "it is not meant for servers (extended key usage)");
    check(other("the chain is too long"), "the system says: the chain is too long");
    let named = "it (or an authority behind it) breaks a rule of certificates (InvalidSerialNumber)";
    check(other("InvalidSerialNumber"), named);
}

#[test]
fn another_issuer_of_the_same_name_is_told_with_what_could_help() {
    let of_another_kind = Reason::UnsupportedSignatureAlgorithmForPublicKeyContext {
        signature_algorithm_id: Vec::new(),
        public_key_algorithm_id: Vec::new(),
    };
    for reason in [Reason::BadSignature, of_another_kind] {
        let expected = "it was not signed with the key of the \"Root\" that is trusted; if another of that name should \
                        be, set CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a PEM file with its certificate";
        assert_eq!(refused(reason, Some("Root")), expected);
    }
}

#[test]
fn a_signature_in_the_handshake_is_not_the_issuers() {
    assert_eq!(refusal(&Reason::BadSignature), "the server could not prove that the key of it is its own");
}
