use std::collections::HashMap;

use super::Table;
use crate::environment::Environment;
use crate::proxy::ProxySettings;
use crate::target::Target;

/// The variables, a target, and the proxy that it is reached through, or why not.
fn check(variables: &[(&str, &str)], uri: &str, expected: Result<Option<&str>, &str>) {
    let map: HashMap<_, _> = variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    let environment = Environment::from_fn(move |name| map.get(name).cloned());
    check_settings(&ProxySettings::Environment, &environment, uri, expected);
    check_settings(&ProxySettings::Direct, &environment, uri, Ok(None));
    let url = ProxySettings::Url("socks5://own:9".parse().unwrap());
    check_settings(&url, &environment, uri, Ok(Some("socks5h://own:9")));
}

fn check_settings(
    settings: &ProxySettings,
    environment: &Environment,
    uri: &str,
    expected: Result<Option<&str>, &str>,
) {
    let target = Target::parse(&uri.parse().unwrap()).unwrap();
    let found = Table::new(settings, environment).select(&target.endpoint);
    let found = found.map(|proxy| proxy.map(|proxy| proxy.to_string())).map_err(|error| error.to_string());
    assert_eq!(found, expected.map(|proxy| proxy.map(str::to_owned)).map_err(str::to_owned), "{uri}");
}

const URIS: [&str; 4] = ["http://a.example", "ws://a.example", "https://a.example", "wss://a.example"];

/// The same for all four schemes: the first two are plain.
fn check_schemes(variables: &[(&str, &str)], plain: Option<&str>, tls: Option<&str>) {
    for (uri, expected) in URIS.into_iter().zip([plain, plain, tls, tls]) {
        check(variables, uri, Ok(expected));
    }
}

#[test]
fn each_scheme_has_its_variable_and_websockets_have_those_of_http() {
    check_schemes(&[], None, None);
    check_schemes(&[("HTTP_PROXY", "p:1")], Some("http://p:1"), None);
    check_schemes(&[("HTTPS_PROXY", "p:1")], None, Some("http://p:1"));
    check_schemes(&[("ALL_PROXY", "p:1")], Some("http://p:1"), Some("http://p:1"));
    check_schemes(&[("ALL_PROXY", "p:1"), ("HTTPS_PROXY", "q:2")], Some("http://p:1"), Some("http://q:2"));
}

#[test]
fn lower_case_counts_where_upper_case_has_no_value() {
    check_schemes(&[("http_proxy", "p:1"), ("https_proxy", "q:2")], Some("http://p:1"), Some("http://q:2"));
    check_schemes(&[("all_proxy", "socks5://p:1")], Some("socks5h://p:1"), Some("socks5h://p:1"));
    check_schemes(&[("HTTPS_PROXY", "p:1"), ("https_proxy", "q:2")], None, Some("http://p:1"));
    check_schemes(&[("HTTPS_PROXY", ""), ("https_proxy", "q:2")], None, Some("http://q:2"));
    check_schemes(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "p:1")], Some("http://p:1"), Some("http://p:1"));
}

#[test]
fn in_a_web_servers_environment_http_proxy_may_come_from_a_request() {
    let cgi = ("REQUEST_METHOD", "GET");
    check_schemes(&[cgi, ("HTTP_PROXY", "evil:1")], None, None);
    check_schemes(&[("REQUEST_METHOD", ""), ("HTTP_PROXY", "evil:1")], None, None);
    check_schemes(&[cgi, ("HTTP_PROXY", "evil:1"), ("HTTPS_PROXY", "q:2")], None, Some("http://q:2"));
    #[cfg(not(windows))]
    check_schemes(&[cgi, ("HTTP_PROXY", "evil:1"), ("http_proxy", "p:1")], Some("http://p:1"), None);
}

#[test]
fn exceptions_hold_for_every_scheme() {
    for name in ["NO_PROXY", "no_proxy"] {
        check_schemes(&[("ALL_PROXY", "p:1"), (name, "a.example")], None, None);
        check_schemes(&[("ALL_PROXY", "p:1"), (name, "b.example")], Some("http://p:1"), Some("http://p:1"));
    }
    check_schemes(&[("ALL_PROXY", "p:1"), ("NO_PROXY", ""), ("no_proxy", "a.example")], None, None);
}

#[test]
fn loopback_is_no_exception_by_itself() {
    for uri in ["http://127.0.0.1", "http://localhost", "http://[::1]:1"] {
        check(&[("HTTP_PROXY", "p:1")], uri, Ok(Some("http://p:1")));
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_where_it_is_needed() {
    let message = "cannot use the proxy in ALL_PROXY: its scheme is none of http, https, socks5 and socks5h";
    let bad = ("ALL_PROXY", "socks4://user:secret@p");
    check(&[bad], "https://a.example", Err(message));
    check(&[bad], "http://a.example", Err(message));
    check(&[bad, ("HTTPS_PROXY", "p:1")], "https://a.example", Ok(Some("http://p:1")));
    check(&[bad, ("NO_PROXY", "a.example")], "https://a.example", Ok(None));
    let message = "cannot use the proxy in https_proxy: it has no valid host and port";
    check(&[("https_proxy", "http://")], "https://a.example", Err(message));
    check(&[("https_proxy", "http://")], "http://a.example", Ok(None));
}
