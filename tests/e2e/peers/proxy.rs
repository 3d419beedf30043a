//! nginx and haproxy, each with one port for every way in which it is set up.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stream_replay::{ReplayServer, ReplayServerBuilder, Response};

use super::ports;
use super::process::{Process, fill, until_ok};
use crate::authority::Authority;

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Haproxy,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("nginx.conf"),
            Self::Haproxy => include_str!("haproxy.cfg"),
        }
    }
}

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    process: Process,
    place: Arc<Place>,
}

#[derive(Debug)]
struct Place {
    kind: Kind,
    ports: BTreeMap<&'static str, u16>,
    authority: Authority,
    /// A line for each request: see `Logged`.
    log: PathBuf,
}

impl Proxy {
    /// Writes the configuration into `folder` and starts the program.
    pub(crate) async fn start(kind: Kind, program: &Path, folder: &Path) -> Result<Self, String> {
        let authority = Authority::create(folder)?;
        let ports: BTreeMap<_, _> =
            ports::named_in(kind.template()).into_iter().map(|name| (name, ports::free())).collect();
        let output = folder.join(kind.name()).with_extension("out");
        // One of the two logs to a file, the other to its standard output.
        let log = match kind {
            Kind::Nginx => folder.join("nginx-access.log"),
            Kind::Haproxy => output.clone(),
        };
        let mut words = vec![
            ("FOLDER", folder.display().to_string()),
            ("LOG", log.display().to_string()),
            ("CERTIFICATE", authority.server.display().to_string()),
        ];
        words.extend(ports.iter().map(|(name, port)| (*name, port.to_string())));
        let config = fill(kind.template(), &words, folder.join(kind.name()).with_extension("conf"))?;
        let config = config.display().to_string();
        let early = folder.join("nginx-error.log").display().to_string();
        let args: &[&str] = match kind {
            Kind::Nginx => &["-c", &config, "-e", &early],
            Kind::Haproxy => &["-db", "-f", &config],
        };
        let process = Process::start(program, args, &output, ports["PLAIN_PORT"]).await?;
        Ok(Self { process, place: Arc::new(Place { kind, ports, authority, log }) })
    }

    /// The proxy for one check.
    pub(crate) fn site(&self, check: &str) -> Site {
        let path = check.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Site { place: Arc::clone(&self.place), path }
    }

    pub(crate) async fn stop(self) {
        self.process.stop().await;
    }
}

/// A proxy as one check sees it: with a path of its own, by which its requests are found in the log.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    place: Arc<Place>,
    path: String,
}

/// A request as the proxy logged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub(crate) protocol: String,
    pub(crate) status: u16,
    /// Equal for requests on one connection of the client.
    pub(crate) connection: String,
}

impl Site {
    pub(crate) fn kind(&self) -> Kind {
        self.place.kind
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.place.authority
    }

    /// The base URL of the service through the proxy, by one of the ports in the template: `PLAIN`, `IDLE`, …
    pub(crate) fn base_url(&self, route: &str) -> String {
        format!("https://127.0.0.1:{}/{}/v1", self.place.ports[&*format!("{route}_PORT")], self.path)
    }

    /// Starts the service that the proxy asks. One at a time: the next one is started when this one was shut down.
    pub(crate) async fn upstream(&self, responses: impl IntoIterator<Item = Response>) -> ReplayServer {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.place.ports["UPSTREAM_PORT"]));
        let server = ReplayServer::builder().listen(address);
        let server = responses.into_iter().fold(server, ReplayServerBuilder::respond);
        // That of a check that failed may need a moment to go away.
        until_ok(|| server.clone().start()).await.expect("the upstream listens")
    }

    /// The requests of this check, once there are so many in the log: it is written when a request has ended.
    pub(crate) async fn logged(&self, count: usize) -> Vec<Logged> {
        let read = async || {
            let text = std::fs::read_to_string(&self.place.log).unwrap_or_default();
            let lines: Vec<_> = text.lines().filter_map(|line| self.parse(line)).collect();
            if lines.len() >= count { Ok(lines) } else { Err(lines) }
        };
        until_ok(read).await.unwrap_or_else(|lines| panic!("{count} requests expected in the log: {lines:?}"))
    }

    fn parse(&self, line: &str) -> Option<Logged> {
        let mut words = line.split(' ');
        let mut word = || words.next().map(str::to_owned);
        let (protocol, status, connection, uri) = (word()?, word()?.parse().ok()?, word()?, word()?);
        uri.contains(&format!("/{}/", self.path)).then_some(Logged { protocol, status, connection })
    }
}
