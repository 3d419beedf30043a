use super::{HttpVersions, Offer, Spoken};
use crate::proxy::{ProxyUrl, Route};
use crate::target::Security::{self, Plain, Tls};
use crate::upgrade::Switch;

/// What is offered for a request that goes directly, and for one that asks for another protocol.
fn check(versions: HttpVersions, security: Security, expected: Offer) {
    // Without the feature everything is HTTP/1.1.
    let expected = if cfg!(feature = "http2") { expected } else { Offer::Http1 };
    assert_eq!(Offer::choose(versions, security, &Route::Direct, Switch::Excluded), expected, "{versions:?}");
    let proxy = "http://p.example".parse::<ProxyUrl>().unwrap().0;
    let tunnel = Route::Tunnel(proxy.clone());
    assert_eq!(Offer::choose(versions, security, &tunnel, Switch::Excluded), expected, "{versions:?}");
    assert_eq!(Offer::choose(versions, security, &Route::Direct, Switch::Possible), Offer::Http1, "{versions:?}");
    assert_eq!(Offer::choose(versions, security, &Route::Forward(proxy), Switch::Excluded), Offer::Http1);
}

#[test]
fn what_is_offered_follows_from_setting_route_and_request() {
    check(HttpVersions::Auto, Tls, Offer::Either);
    check(HttpVersions::Auto, Plain, Offer::Http1);
    check(HttpVersions::Http1, Tls, Offer::Http1);
    check(HttpVersions::Http1, Plain, Offer::Http1);
    #[cfg(feature = "http2")]
    {
        check(HttpVersions::Http2, Tls, Offer::Http2);
        check(HttpVersions::Http2, Plain, Offer::Http2);
    }
}

#[test]
fn a_server_that_does_not_choose_speaks_http_1_1() {
    let check = |offer: Offer, selected: Option<&str>, expected| {
        assert_eq!(offer.agreed(selected.map(str::as_bytes)), expected, "{offer:?} {selected:?}");
    };
    check(Offer::Either, Some("h2"), Some(Spoken::Http2));
    check(Offer::Either, Some("http/1.1"), Some(Spoken::Http1));
    check(Offer::Either, None, Some(Spoken::Http1));
    check(Offer::Http1, None, Some(Spoken::Http1));
    check(Offer::Http2, Some("h2"), Some(Spoken::Http2));
    check(Offer::Http2, None, None);
}
