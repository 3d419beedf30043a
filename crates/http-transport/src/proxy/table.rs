//! The settings, read and ready to be asked.

use std::ffi::OsString;
use std::sync::Arc;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::phase::Phase;
use crate::target::{Endpoint, Security};

use super::no_proxy::NoProxy;
use super::settings::ProxySettings;
use super::url::{Proxy, parse};

/// Which proxy is for which target.
#[derive(Debug, Default)]
pub(crate) struct Table {
    plain: Option<Entry>,
    tls: Option<Entry>,
    exceptions: NoProxy,
}

/// A proxy, or why there is none: a mistake counts only once somebody needs the proxy.
type Entry = Result<Arc<Proxy>, String>;

impl Table {
    pub(crate) fn new(settings: &ProxySettings, environment: &Environment) -> Self {
        match settings {
            ProxySettings::Environment => Self::from_environment(environment),
            ProxySettings::Direct => Self::default(),
            ProxySettings::Url(url) => {
                let entry = Some(Ok(Arc::clone(&url.0)));
                Self { plain: entry.clone(), tls: entry, exceptions: NoProxy::default() }
            }
        }
    }

    fn from_environment(environment: &Environment) -> Self {
        let plain: &[&str] = match environment.raw("REQUEST_METHOD") {
            None => &["HTTP_PROXY", "http_proxy"],
            // Windows does not tell the two names apart.
            Some(_) if cfg!(windows) => &[],
            Some(_) => &["http_proxy"],
        };
        let all = || environment.first(&["ALL_PROXY", "all_proxy"]);
        let exceptions = environment.first(&["NO_PROXY", "no_proxy"]);
        Self {
            plain: environment.first(plain).or_else(all).map(entry),
            tls: environment.first(&["HTTPS_PROXY", "https_proxy"]).or_else(all).map(entry),
            exceptions: exceptions.map(|(_, list)| NoProxy::parse(&list.to_string_lossy())).unwrap_or_default(),
        }
    }

    /// The proxy for `endpoint`, or none. Errors when the environment names one that cannot be used.
    pub(super) fn select(&self, endpoint: &Endpoint) -> Result<Option<Arc<Proxy>>, Error> {
        let entry = match endpoint.security {
            Security::Plain => &self.plain,
            Security::Tls => &self.tls,
        };
        match entry {
            Some(entry) if !self.exceptions.matches(endpoint) => match entry {
                Ok(proxy) => Ok(Some(Arc::clone(proxy))),
                Err(message) => Err(Error::new(ErrorKind::Config, Phase::Dns, message.as_str())),
            },
            _ => Ok(None),
        }
    }
}

/// The value may hold a password and stays out of the message.
fn entry((name, value): (&'static str, OsString)) -> Entry {
    let url = value.to_str().ok_or("it is not UTF-8");
    url.and_then(parse).map_err(|why| format!("cannot use the proxy in {name}: {why}"))
}

#[cfg(test)]
mod tests;
