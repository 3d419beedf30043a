//! What is wrong with a certificate, for people.
//!
//! rustls shows most of its reasons as the names that they have in its code.

use std::borrow::Cow;

use rustls::pki_types::UnixTime;
use rustls::{CertificateError, OtherError};

use crate::dial::RefusedCertificate;

/// Names of a certificate that are told.
const NAMES: usize = 5;
/// Characters of each.
const LENGTH: usize = 100;

/// What is wrong with a certificate, whose it is, and what could help; the end of a sentence.
pub(super) fn refusal(error: &CertificateError) -> String {
    let CertificateError::Other(OtherError(other)) = error else {
        return in_handshake(error).into_owned();
    };
    let Some(RefusedCertificate { reason, issuer }) = other.downcast_ref() else {
        return in_handshake(error).into_owned();
    };
    match (reason, issuer) {
        (CertificateError::UnknownIssuer, issuer) => {
            let issuer = issuer.as_ref().map_or_else(|| "its issuer".to_owned(), |name| format!("its issuer {name:?}"));
            format!(
                "{issuer} is not trusted; if it should be, set CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a PEM file \
                 with its certificate"
            )
        }
        // Typical of an authority for tests that was made anew under its old name, maybe with a key of another kind.
        (
            CertificateError::BadSignature | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
            Some(issuer),
        ) => format!(
            "it was not signed with the key of the {issuer:?} that is trusted; if another of that name should be, set \
             CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a PEM file with its certificate"
        ),
        // It is its own issuer.
        (CertificateError::Other(other), _) if rule(other) == CA_AS_SERVER => CA_AS_SERVER.to_owned(),
        (reason, Some(issuer)) => format!("{} (issued by {issuer:?})", words(reason)),
        (reason, None) => words(reason).into_owned(),
    }
}

/// What is wrong with a certificate that was found good itself.
fn in_handshake(error: &CertificateError) -> Cow<'static, str> {
    match error {
        CertificateError::BadSignature => "the server could not prove that the key of it is its own".into(),
        _ => words(error),
    }
}

fn words(reason: &CertificateError) -> Cow<'static, str> {
    use CertificateError as Reason;

    match reason {
        Reason::BadEncoding => "it (or an authority behind it) is malformed".into(),
        Reason::Expired => "it (or an authority behind it) has expired, or this machine's clock is wrong".into(),
        Reason::ExpiredContext { time, not_after } => {
            let ago = span(*not_after, *time);
            format!("it (or an authority behind it) expired {ago} ago, or this machine's clock is wrong").into()
        }
        Reason::NotValidYet => {
            "it (or an authority behind it) is not valid yet, or this machine's clock is wrong".into()
        }
        Reason::NotValidYetContext { time, not_before } => {
            let wait = span(*time, *not_before);
            format!("it (or an authority behind it) is not valid for another {wait}, or this machine's clock is wrong")
                .into()
        }
        Reason::UnknownIssuer => "its issuer is not trusted".into(),
        Reason::BadSignature => "it was not signed with the key of its issuer".into(),
        Reason::Revoked => "it (or an authority behind it) has been revoked".into(),
        Reason::UnknownRevocationStatus => "nothing could be found out about whether it has been revoked".into(),
        Reason::ExpiredRevocationList | Reason::ExpiredRevocationListContext { .. } => {
            "the list that would tell whether it has been revoked is out of date".into()
        }
        Reason::InvalidOcspResponse => "the server's proof that it has not been revoked (OCSP) is not valid".into(),
        Reason::UnhandledCriticalExtension => EXTENSION.into(),
        Reason::UnsupportedSignatureAlgorithmContext { .. } => ALGORITHM.into(),
        Reason::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "a signature of it is of another kind than the key that is to have made it".into()
        }
        Reason::NotValidForName => "it is for another host".into(),
        Reason::NotValidForNameContext { expected, presented } => {
            format!("{}, not for {}", names(presented), expected.to_str()).into()
        }
        Reason::InvalidPurpose | Reason::InvalidPurposeContext { .. } => PURPOSE.into(),
        Reason::ApplicationVerificationFailure => "this program does not accept it".into(),
        Reason::Other(other) => rule(other),
        // Also one that is deprecated, and those to come.
        other => by_name(&other.to_string()),
    }
}

const ALGORITHM: &str = "it (or an authority behind it) is signed in a way that is not supported (such as SHA-1)";
const CA_AS_SERVER: &str = "it is an authority's certificate (CA:TRUE), which must not be a server's own; make one for \
                            the server (CA:FALSE), signed by it";
const EXTENSION: &str = "it (or an authority behind it) has a critical extension that is not understood";
const PURPOSE: &str = "it is not meant for servers (extended key usage)";

/// The rules for which rustls has no reason of its own. Their type is not to be had here, only the names.
fn rule(other: &OtherError) -> Cow<'static, str> {
    by_name(&other.to_string())
}

fn by_name(name: &str) -> Cow<'static, str> {
    let words = match name {
        "CaUsedAsEndEntity" => CA_AS_SERVER,
        "EndEntityUsedAsCa" => "its issuer is not an authority (CA:FALSE), and must not sign others",
        "CertDistrusted" => "it (or an authority behind it) is distrusted",
        "NameConstraintViolation" => "an authority behind it must not sign for such names (name constraints)",
        "PathLenConstraintViolated" => "there are more authorities behind it than one of them allows (path length)",
        // What the platform's verifier says of every purpose that is wrong.
        "certificate had invalid extensions" | "EmptyEkuExtension" => PURPOSE,
        "UnsupportedCertVersion" => "it (or an authority behind it) is of an old version, not of X.509 v3",
        "UnsupportedCriticalExtension" => EXTENSION,
        "UnsupportedSignatureAlgorithm" => ALGORITHM,
        "MaximumNameConstraintComparisonsExceeded"
        | "MaximumPathBuildCallsExceeded"
        | "MaximumPathDepthExceeded"
        | "MaximumSignatureChecksExceeded" => "the authorities behind it are too many, or too entangled",
        name if name.contains(' ') => return format!("the system says: {name}").into(),
        name => return format!("it (or an authority behind it) breaks a rule of certificates ({name})").into(),
    };
    words.into()
}

/// `presented` are the names in the words of rustls: `DnsName("a.example")`, `IpAddress(10.0.0.1)`.
fn names(presented: &[String]) -> String {
    let clean = |name: &str| -> String { name.chars().filter(|char| !char.is_control()).take(LENGTH).collect() };
    let inner = |name: &str| {
        let name = name.strip_prefix("DnsName(\"").and_then(|name| name.strip_suffix("\")")).or_else(|| {
            // Those of other kinds are not for hosts.
            name.strip_prefix("IpAddress(").and_then(|name| name.strip_suffix(')'))
        })?;
        Some(clean(name))
    };
    let names: Vec<String> = presented.iter().filter_map(|name| inner(name)).collect();
    match &names[..] {
        [] => {
            "it has no host in its subjectAltName, where hosts have to stand (a common name does not count)".to_owned()
        }
        names if names.len() > NAMES => {
            format!("it is for {} and {} others", names[..NAMES].join(", "), names.len() - NAMES)
        }
        names => format!("it is for {}", names.join(", ")),
    }
}

/// The time between two instants, in the largest unit that there is more than one of.
fn span(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    let units = [("days", 24 * 60 * 60), ("hours", 60 * 60), ("minutes", 60)];
    match units.into_iter().find(|(_, length)| seconds >= 2 * length) {
        Some((unit, length)) => format!("{} {unit}", seconds / length),
        None => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests;
