//! The lines of a script that speak TLS.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;

use super::data;
use super::error::Wrong;
use super::line::Context;
use super::words::Words;
use crate::inbound::Inbound;
use crate::socket::Socket;
use crate::tls::{Certificate, TestAuthority, TlsSession, flight};

/// One line about TLS.
#[derive(Debug, Clone)]
pub(crate) enum TlsStep {
    /// Makes the handshake.
    Accept(Settings),
    /// Sends the first bytes of the answer to the `ClientHello`, and no more.
    Begin(usize, Settings),
    CloseNotify,
}

/// How TLS is spoken.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    protocols: Vec<Vec<u8>>,
    /// One of the script's own; otherwise that of the server's test authority.
    certificate: Option<Arc<Certificate>>,
}

impl TlsStep {
    pub(super) fn wants_authority(&self) -> bool {
        matches!(self, Self::Accept(settings) | Self::Begin(_, settings) if settings.certificate.is_none())
    }

    pub(super) async fn play(
        &self,
        socket: &mut Socket,
        inbound: &mut Inbound,
        authority: Option<&TestAuthority>,
    ) -> io::Result<()> {
        match self {
            Self::Accept(settings) => {
                let config = settings.config(authority)?;
                let session = TlsSession::accept(socket.tcp(), config, inbound.take_unread()).await?;
                socket.secure(session);
            }
            Self::Begin(length, settings) => {
                let config = settings.config(authority)?;
                let mut flight = flight(socket.tcp(), config, inbound.take_unread()).await?;
                flight.truncate(*length);
                socket.tcp().write_all(&flight).await?;
            }
            Self::CloseNotify => socket.close_notify().await?,
        }
        Ok(())
    }
}

impl Settings {
    fn config(&self, authority: Option<&TestAuthority>) -> io::Result<Arc<ServerConfig>> {
        let made = authority.map(|authority| &authority.certificate);
        match self.certificate.as_deref().or(made) {
            Some(certificate) => certificate.config(&self.protocols),
            None => Err(io::Error::other("a server whose script speaks TLS has a certificate")),
        }
    }
}

/// `alpn "NAME" …` and `certificate "FILE" "FILE"`, both of which may be missing.
fn settings(words: &mut Words, context: &Context<'_>) -> Result<Settings, Wrong> {
    let mut protocols = Vec::new();
    if words.takes("alpn") {
        let expected = words.expected("the name of a protocol in quotes, as in `alpn \"h2\"`");
        while let Some(protocol) = words.text() {
            protocols.push(protocol);
        }
        // RFC 7301 §3.1: names are not empty, and their length is one byte.
        if protocols.is_empty() || protocols.iter().any(|name| !(1..=255).contains(&name.len())) {
            return Err(expected);
        }
    }
    let certificate = if words.takes("certificate") {
        let column = words.column();
        let (chain, key) = (data::file(words, context.folder)?, data::file(words, context.folder)?);
        let certificate = Certificate::from_pem(&chain, &key);
        Some(Arc::new(certificate.map_err(|wrong| Wrong::new(column, wrong))?))
    } else {
        None
    };
    if !words.is_empty() {
        return Err(words.expected("`alpn`, `certificate` or the end of the line"));
    }
    Ok(Settings { protocols, certificate })
}

/// The rest of the line behind the name of a step.
pub(super) fn statement(name: &str, words: &mut Words, context: &Context<'_>) -> Result<TlsStep, Wrong> {
    Ok(match name {
        "tls-accept" => TlsStep::Accept(settings(words, context)?),
        "tls-begin" => TlsStep::Begin(words.number("how many bytes")?, settings(words, context)?),
        _ => TlsStep::CloseNotify,
    })
}
