//! Root certificates from files and variables.

mod support;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_transport::{Environment, Error, ErrorKind, Phase, Transport, TransportBuilder};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use support::tls::{authority, https};
use support::{causes, finish, post, read_request, serve, variables};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn pem(label: &str, der: &[u8]) -> String {
    // OpenSSL's way to write it; rcgen has no way to choose the label.
    let digits: Vec<_> = STANDARD.encode(der).into_bytes();
    let lines: Vec<_> = digits.chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn any_root() -> Vec<u8> {
    authority("another", "x.example").0
}

fn crl() -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::CrlSign];
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(2034, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&Issuer::new(params, key)).unwrap().pem().unwrap()
}

/// What OpenSSL puts behind a trusted certificate (`CertAux`: that it is for TLS servers).
const TRUST: &[u8] = &[0x30, 12, 0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];

/// `bundle` makes a file of the server's root; a client that reads it, in each of the ways there are, trusts the
/// server.
async fn check(bundle: impl Fn(&[u8]) -> String) {
    type Way<'a> = &'a dyn Fn(TransportBuilder, &str) -> TransportBuilder;

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.pem");
    let name = path.to_str().unwrap().to_owned();
    let ways: [Way<'_>; 4] = [
        &|builder, _| builder.ca_file(&name),
        &|builder, pem| builder.extra_root_pem(pem),
        &|builder, _| builder.environment(variables(&[("CODEX_CA_CERTIFICATE", &name)])),
        &|builder, _| builder.environment(variables(&[("SSL_CERT_FILE", &name), ("CODEX_CA_CERTIFICATE", "")])),
    ];
    for way in ways {
        let (root, acceptor) = authority("own", "localhost");
        let pem = bundle(&root);
        std::fs::write(&path, &pem).unwrap();
        let (uri, server) = serve(async move |stream| {
            let mut stream = acceptor.accept(stream).await.unwrap();
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            stream.flush().await.unwrap();
            let _ = stream.read(&mut [0; 1]).await;
        })
        .await;
        let builder = Transport::builder().environment(Environment::empty());
        let transport = way(builder, &pem).build().unwrap();
        // It was read when the transport was built.
        std::fs::write(&path, "").unwrap();
        assert_eq!(post(&transport, &https(&uri, "localhost")).head().await.unwrap().status, 204);
        finish(server).await;
    }
}

#[tokio::test]
async fn a_bundle_of_one_certificate_is_trusted_under_all_its_labels() {
    check(|root| pem("CERTIFICATE", root)).await;
    check(|root| pem("X509 CERTIFICATE", root)).await;
    check(|root| pem("TRUSTED CERTIFICATE", &[root, TRUST].concat())).await;
    check(|root| pem("TRUSTED CERTIFICATE", root)).await;
}

#[tokio::test]
async fn any_certificate_of_a_bundle_is_trusted_and_the_rest_is_passed_over() {
    check(|root| pem("CERTIFICATE", &any_root()) + &pem("CERTIFICATE", root)).await;
    check(|root| pem("CERTIFICATE", root) + &pem("CERTIFICATE", &any_root())).await;
    check(|root| crl() + &pem("CERTIFICATE", root) + &crl()).await;
    check(|root| pem("PRIVATE KEY", b"x") + "Bag Attributes\n  name: x\n" + &pem("CERTIFICATE", root) + "end").await;
    // A system's bundle may have some that are out of use.
    check(|root| pem("CERTIFICATE", b"\x30\x00") + &pem("CERTIFICATE", root)).await;
}

#[tokio::test]
async fn a_bundle_may_have_been_through_other_systems() {
    check(|root| pem("CERTIFICATE", root).replace('\n', "\r\n")).await;
    check(|root| format!("\u{feff}{}", pem("CERTIFICATE", root))).await;
    check(|root| pem("CERTIFICATE", root).replace('\n', " \n  ")).await;
    check(|root| pem("CERTIFICATE", root).trim_end().to_owned()).await;
}

/// Each way to name a file, and how messages call it. `FILE` in `message` stands for that.
fn check_refused(path: &Path, message: &str, has_cause: bool) {
    let name = path.to_str().unwrap();
    let ways: [(TransportBuilder, String); 3] = [
        (empty().ca_file(path), format!("the CA file {name}")),
        (
            empty().environment(variables(&[("CODEX_CA_CERTIFICATE", name), ("SSL_CERT_FILE", "/not/read")])),
            format!("the CA file {name} (from CODEX_CA_CERTIFICATE)"),
        ),
        (
            empty().environment(variables(&[("CODEX_CA_CERTIFICATE", ""), ("SSL_CERT_FILE", name)])),
            format!("the CA file {name} (from SSL_CERT_FILE)"),
        ),
    ];
    for (builder, file) in ways {
        let error = builder.build().expect_err(message);
        check_error(&error, &message.replace("FILE", &file), has_cause);
    }
}

fn check_error(error: &Error, message: &str, has_cause: bool) {
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Config, Phase::Tls));
    assert_eq!(error.to_string(), message);
    assert_eq!(causes(error).count() > 0, has_cause, "{error:?}");
}

fn empty() -> TransportBuilder {
    Transport::builder().environment(Environment::empty())
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name_and_the_variable() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.pem");
    check_refused(&path, "FILE cannot be read", true);
    check_refused(folder.path(), "FILE cannot be read", true);
    let good = pem("CERTIFICATE", &any_root());
    let lines = good.lines().count();
    for (text, message, has_cause) in [
        (String::new(), "FILE has no certificate in it", false),
        ("hello\n".to_owned(), "FILE has no certificate in it", false),
        (crl(), "FILE has no certificate in it", false),
        (good.replace("END", "DNE"), "FILE is not valid PEM in block 1 (line 1)", true),
        (good.trim_end().replace("END CERTIFICATE-----", "END"), "FILE is not valid PEM in block 1 (line 1)", true),
        (good.replace("BEGIN CERTIFICATE-----", "BEGIN CERT"), "FILE is not valid PEM in block 1 (line 1)", true),
        (
            format!("{good}{}", good.replace("-----\nMI", "-----\n!I")),
            &*format!("FILE is not valid PEM in block 2 (line {})", lines + 1),
            true,
        ),
        (
            format!("{}\n{}", crl().trim_end(), good.replace("END", "DNE")),
            &*format!("FILE is not valid PEM in block 2 (line {})", crl().lines().count() + 1),
            true,
        ),
        (pem("TRUSTED CERTIFICATE", b"x"), "FILE is not valid PEM in block 1 (line 1)", true),
        (
            format!("\n{}", pem("CERTIFICATE", b"\x30\x00")),
            "FILE has no certificate that can be a root; the first is block 1 (line 2)",
            true,
        ),
        (
            pem("CERTIFICATE", &[&any_root()[..], TRUST].concat()),
            "FILE has no certificate that can be a root; the first is block 1 (line 1)",
            true,
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        check_refused(&path, message, has_cause);
    }
}

#[test]
fn what_is_wrong_with_a_block_is_the_cause() {
    let good = pem("CERTIFICATE", &any_root());
    for (text, cause) in [
        (good.replace("-----END CERTIFICATE-----\n", "") + &good, "it has no END line"),
        (good.replace("END", "DNE"), "it has no END line"),
        (good.replace("BEGIN CERTIFICATE-----", "BEGIN CERT"), "its BEGIN line is cut or too long"),
        (good.replace("-----\nMI", "-----\n!I"), "it is not valid Base64"),
        (pem("TRUSTED CERTIFICATE", b"x"), "it does not begin with a certificate"),
    ] {
        let error = empty().extra_root_pem(text).build().unwrap_err();
        check_error(&error, "the extra root PEM is not valid PEM in block 1 (line 1)", true);
        assert_eq!(causes(&error).next().unwrap().to_string(), cause);
    }
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.pem");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(16 * 1024 * 1024 + 1).unwrap();
    check_refused(&path, "FILE cannot be read", true);
    file.set_len(16 * 1024 * 1024).unwrap();
    check_refused(&path, "FILE has no certificate in it", false);
}

#[test]
fn pem_that_was_given_is_checked_too() {
    let error = empty().extra_root_pem(*b"x").build().unwrap_err();
    check_error(&error, "the extra root PEM has no certificate in it", false);
}

#[test]
fn variables_do_not_count_where_a_file_is_given() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.pem");
    std::fs::write(&path, pem("CERTIFICATE", &any_root())).unwrap();
    let environment = variables(&[("CODEX_CA_CERTIFICATE", "/no/such/file")]);
    assert!(Transport::builder().environment(environment.clone()).build().is_err());
    Transport::builder().environment(environment).ca_file(&path).build().unwrap();
}
