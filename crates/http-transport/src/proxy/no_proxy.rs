//! The exceptions: `NO_PROXY`.

use std::net::IpAddr;

use crate::target::Endpoint;

/// Targets that are reached directly.
#[derive(Debug, Default)]
pub(super) struct NoProxy(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    hosts: Hosts,
    /// `None`: all ports.
    port: Option<u16>,
}

#[derive(Debug)]
enum Hosts {
    All,
    /// A network; its length counts bits of the address as IPv6 (an IPv4 network has at least 96).
    Network(u128, u8),
    /// The name itself and all names below it; in lower case, without dots at either end.
    Domain(String),
}

impl NoProxy {
    /// Entries with commas or blanks between them. One that makes no sense matches nothing.
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split([',', ' ', '\t', '\r', '\n', ';']).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Rule::parse).collect())
    }

    pub(super) fn matches(&self, endpoint: &Endpoint) -> bool {
        let address = endpoint.host.parse::<IpAddr>().ok().map(bits);
        let name = domain(&endpoint.host);
        self.0.iter().any(|rule| {
            rule.port.is_none_or(|port| port == endpoint.port)
                && match (&rule.hosts, address) {
                    (Hosts::All, _) => true,
                    (Hosts::Network(network, length), Some(address)) => {
                        masked(address, *length) == masked(*network, *length)
                    }
                    // A name is never looked up to find out whether its address is meant.
                    (Hosts::Domain(domain), None) => is_within(&name, domain),
                    _ => false,
                }
        })
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        // First as a whole: an IPv6 address has colons of its own.
        if let Some(hosts) = network(entry) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let hosts = match host {
            "*" => Hosts::All,
            _ => match network(host) {
                Some(hosts) => hosts,
                None if host.contains(['/', ':', '[']) => return None,
                None => Hosts::Domain(Some(domain(host.strip_prefix('*').unwrap_or(host))).filter(|d| !d.is_empty())?),
            },
        };
        Some(Self { hosts, port })
    }
}

/// An address or a network in CIDR notation (RFC 4632, RFC 4291), with brackets or without.
fn network(text: &str) -> Option<Hosts> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address = address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(address);
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = Some(length.unwrap_or(most)).filter(|length| *length <= most)?;
    Some(Hosts::Network(bits(address), length + (128 - most)))
}

/// IPv4 as IPv6 (`::ffff:a.b.c.d`), so that both ways to write an address are one.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn masked(address: u128, length: u8) -> u128 {
    address.checked_shr(128 - u32::from(length)).unwrap_or(0)
}

fn domain(host: &str) -> String {
    host.trim_matches('.').to_ascii_lowercase()
}

fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests;
