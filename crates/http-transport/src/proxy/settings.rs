//! What a caller can choose.

use super::url::ProxyUrl;

/// Which requests go through a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxySettings {
    /// As the [`Environment`](crate::Environment) says: `HTTPS_PROXY` for `https` and `wss`, `HTTP_PROXY` for `http`
    /// and `ws`, `ALL_PROXY` for what these two leave open, each as a [`ProxyUrl`]; and for none of the targets in
    /// `NO_PROXY`.
    ///
    /// `NO_PROXY` is a list with commas or blanks between its entries: `*` (everything), a name (with or without a dot
    /// in front, it means all names below it, too), an address, a network (`10.0.0.0/8`, `fd00::/8`), each of them
    /// with a port (`a.example:8080`) if it is for that one only. Names are compared as they are written, without
    /// looking them up. Nothing else is excepted, not even this machine itself.
    ///
    /// `HTTP_PROXY` in capitals is not asked where `REQUEST_METHOD` is set: there, a `proxy` header of some web
    /// request may be behind it (httpoxy, CVE-2016-5385).
    ///
    /// A variable that is no proxy's URL is an [`ErrorKind::Config`](crate::ErrorKind::Config), by name, of each
    /// request that would have needed it.
    #[default]
    Environment,
    /// None.
    Direct,
    /// All of them, through this proxy, whatever the environment says; `NO_PROXY`, too.
    Url(ProxyUrl),
}

impl From<ProxyUrl> for ProxySettings {
    fn from(url: ProxyUrl) -> Self {
        Self::Url(url)
    }
}
