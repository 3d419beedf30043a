//! What is said of certificates that are refused.
//!
//! Certificates are judged by the platform's own verifier, whose words differ; those of Linux are looked at here.
#![cfg(target_os = "linux")]

mod support;

use http_transport::with_causes;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    NameConstraints, date_time_ymd,
};
use support::tls::{acceptor, https, trusting};
use support::{finish, post, serve};

/// A server at `localhost` with a certificate of the authority `own`, each as these make it.
async fn check(ca: impl Fn(&mut CertificateParams), leaf: impl Fn(&mut CertificateParams), expected: &str) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "own");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca(&mut params);
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap().der().to_vec();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    leaf(&mut params);
    let key = KeyPair::generate().unwrap();
    let acceptor = acceptor(params.signed_by(&key, &issuer).unwrap().der(), &key, &["http/1.1"]);
    let (uri, server) = serve(async move |stream| assert!(acceptor.accept(stream).await.is_err())).await;
    let uri = https(&uri, "localhost");

    let error = post(&trusting(root), &uri).head().await.unwrap_err();
    let endpoint = uri.strip_prefix("https://").unwrap();
    let expected = format!("the certificate of {endpoint} was refused: {expected}");
    assert_eq!(error.to_string(), expected);
    assert_eq!(with_causes(&error), expected, "what the libraries say adds nothing for people");
    assert!(error.is_certificate());
    finish(server).await;
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused() {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    // 2024-01-01 and 2123-01-01.
    let (past, future) = ((now - 1_704_067_200) / 86_400, (4_828_204_800 - now) / 86_400);
    check(
        |_| {},
        |leaf| leaf.not_after = date_time_ymd(2024, 1, 1),
        &format!(
            "it (or an authority behind it) expired {past} days ago, or this machine's clock is wrong (issued by \"own\")"
        ),
    )
    .await;
    check(
        |_| {},
        |leaf| leaf.not_before = date_time_ymd(2123, 1, 1),
        &format!(
            "it (or an authority behind it) is not valid for another {future} days, or this machine's clock is wrong \
             (issued by \"own\")"
        ),
    )
    .await;
}

#[tokio::test]
async fn a_certificate_for_something_else_is_refused() {
    check(
        |_| {},
        |leaf| leaf.subject_alt_names = CertificateParams::new(["b.example".to_owned()]).unwrap().subject_alt_names,
        "it is for b.example, not for localhost (issued by \"own\")",
    )
    .await;
    check(
        |_| {},
        |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        "it is not meant for servers (extended key usage) (issued by \"own\")",
    )
    .await;
    let constraints = NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("b.example".to_owned())],
        excluded_subtrees: Vec::new(),
    };
    check(
        |ca| ca.name_constraints = Some(constraints.clone()),
        |_| {},
        "an authority behind it must not sign for such names (name constraints) (issued by \"own\")",
    )
    .await;
}
