//! Proxies: which one a request goes through, and in which way.

mod answer;
mod no_proxy;
mod refusal;
mod route;
mod settings;
mod table;
mod url;

pub use self::answer::ProxyAnswer;
pub(crate) use self::refusal::Refusal;
pub(crate) use self::route::Route;
pub use self::settings::ProxySettings;
pub(crate) use self::table::Table;
pub use self::url::ProxyUrl;
pub(crate) use self::url::{Protocol, Proxy};
