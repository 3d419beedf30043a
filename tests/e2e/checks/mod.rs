//! The checks: tables of names and functions.

mod aimock;
mod cuts;
mod pictures;
mod refusals;
mod sockets;
mod tls;
mod turns;

use std::pin::Pin;

use crate::client::{Lane, Version};
use crate::peers::{Browser, Kind, Service, Site};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One check; it fails by panicking.
pub(crate) struct Check<On> {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnOnce(On) -> Running>,
}

/// A check of what `On` stands for.
fn check<On, F>(name: impl Into<String>, run: impl FnOnce(On) -> F + 'static) -> Check<On>
where
    F: Future<Output = ()> + Send + 'static,
{
    Check { name: name.into(), run: Box::new(|on| Box::pin(run(on))) }
}

/// A check over HTTP/1.1, and the same over HTTP/2.
fn both<F>(name: &str, run: fn(Lane) -> F) -> [Check<Site>; 2]
where
    F: Future<Output = ()> + Send + 'static,
{
    [(Version::Http1, "HTTP/1.1"), (Version::Http2, "HTTP/2")]
        .map(|(version, shown)| check(format!("{shown}: {name}"), move |site| run(Lane { site, version })))
}

/// What is checked with a proxy of this kind.
pub(crate) fn of_proxies(kind: Kind) -> Vec<Check<Site>> {
    let mut checks = tls::checks();
    checks.extend(turns::checks(kind));
    checks.extend(cuts::checks());
    checks.extend(refusals::checks(kind));
    checks.extend(sockets::checks());
    checks
}

/// What is checked with aimock.
pub(crate) fn of_aimock() -> Vec<Check<Service>> {
    aimock::checks()
}

/// What is checked with a browser.
pub(crate) fn of_browser() -> Vec<Check<Browser>> {
    pictures::checks()
}
