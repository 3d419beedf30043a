//! Who issued a certificate.

use crate::der::{Element, take};

const CONTEXT_0: u8 = 0xa0;
/// The OIDs 2.5.4.3 (common name) and 2.5.4.10 (organization), in the order of preference.
const NAMES: [[u8; 3]; 2] = [[0x55, 4, 3], [0x55, 4, 10]];
/// Characters that are shown.
const LENGTH: usize = 100;

/// The issuer's common name, or else its organization, for people.
pub(super) fn issuer(certificate: &[u8]) -> Option<String> {
    let name = issuer_name(certificate)?;
    let text = NAMES.iter().find_map(|oid| attribute(name, oid))?;
    let clean: String = text.chars().filter(|char| !char.is_control()).take(LENGTH).collect();
    Some(clean).filter(|clean| !clean.is_empty())
}

/// The content of the issuer field (RFC 5280, section 4.1).
fn issuer_name(mut certificate: &[u8]) -> Option<&[u8]> {
    let mut certificate = take(&mut certificate)?.content;
    let mut fields = take(&mut certificate)?.content;
    // The version may be missing; then come serial number and signature algorithm.
    if take(&mut fields)?.tag == CONTEXT_0 {
        take(&mut fields)?;
    }
    take(&mut fields)?;
    Some(take(&mut fields)?.content)
}

/// A name is a sequence of sets of pairs of an OID and a string (RFC 5280, section 4.1.2.4).
fn attribute(mut name: &[u8], oid: &[u8]) -> Option<String> {
    while let Some(Element { content: mut set, .. }) = take(&mut name) {
        while let Some(Element { content: mut pair, .. }) = take(&mut set) {
            if take(&mut pair)?.content == oid {
                return Some(String::from_utf8_lossy(take(&mut pair)?.content).into_owned());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, Issuer, KeyPair};

    use super::issuer;

    fn check(name: &[(DnType, &str)], expected: Option<&str>) {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in name {
            params.distinguished_name.push(kind.clone(), *value);
        }
        let ca = Issuer::new(params, KeyPair::generate().unwrap());
        let leaf = CertificateParams::new(["a.example".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &ca).unwrap();
        assert_eq!(issuer(leaf.der()).as_deref(), expected);
        for end in 0..leaf.der().len() {
            let _ = issuer(&leaf.der()[..end]);
        }
    }

    #[test]
    fn an_issuer_is_known_by_its_common_name_or_else_its_organization() {
        check(&[(DnType::CommonName, "Corp Root")], Some("Corp Root"));
        check(&[(DnType::OrganizationName, "Corp"), (DnType::CommonName, "Corp Root")], Some("Corp Root"));
        check(&[(DnType::CountryName, "XX"), (DnType::OrganizationName, "Corp")], Some("Corp"));
        check(&[(DnType::CountryName, "XX")], None);
        check(&[(DnType::CommonName, "a\x1b[1m\nb")], Some("a[1mb"));
        check(&[(DnType::CommonName, &"x".repeat(300))], Some(&"x".repeat(100)));
    }

    #[test]
    fn nonsense_has_no_issuer() {
        for der in [&b""[..], b"x", &[0x30; 64], &[0; 64]] {
            assert_eq!(issuer(der), None);
        }
    }
}
