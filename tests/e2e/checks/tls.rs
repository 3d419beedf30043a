//! Certificates of a private authority.

use codex_api::{ClientBuilder, Environment, FailureKind};
use stream_replay::Response;

use super::{Check, check};
use crate::authority;
use crate::client::{TEXT, ask, attempts};
use crate::peers::Site;
use crate::support::{drain, impatient};

pub(super) fn checks() -> Vec<Check<Site>> {
    vec![
        check("TLS: the authority of a file is trusted", by_file),
        check("TLS: the authority in CODEX_CA_CERTIFICATE is trusted", by_environment),
        check("TLS: an unknown authority is named and never retried", unknown),
    ]
}

async fn by_file(site: Site) {
    let root = site.authority().root.clone();
    trusted(&site, move |builder| builder.ca_file(root)).await;
}

async fn by_environment(site: Site) {
    let root = site.authority().root.clone();
    let environment =
        Environment::from_fn(move |name| (name == "CODEX_CA_CERTIFICATE").then(|| root.clone().into_os_string()));
    trusted(&site, move |builder| builder.environment(environment)).await;
}

async fn trusted(site: &Site, trusting: impl FnOnce(ClientBuilder) -> ClientBuilder) {
    let server = site.upstream([Response::sse(TEXT)]).await;
    let client = trusting(impatient(&site.base_url("PLAIN"))).build().unwrap();
    assert!(ask(&client).collect().await.unwrap().text().starts_with("The bridge"));
    server.shutdown().await;
}

async fn unknown(site: Site) {
    let client = impatient(&site.base_url("PLAIN")).retry(attempts(3)).build().unwrap();
    let (_, error) = drain(ask(&client)).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (FailureKind::Tls, 1, false), "{error}");
    for word in [authority::NAME, "CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"] {
        assert!(error.message().contains(word), "{word} is missing in: {error}");
    }
}
