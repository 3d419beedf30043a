//! The programs of others that the checks run against.

mod aimock;
mod browser;
mod ports;
mod process;
mod proxy;

pub(crate) use aimock::{Aimock, Service};
pub(crate) use browser::{Browser, Scheme};
pub(crate) use proxy::{Kind, Logged, Proxy, Site};
