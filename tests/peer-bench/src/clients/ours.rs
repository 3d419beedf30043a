//! This project.

use std::hint::black_box;

use codex_api::{Provider, Request, Transport, TurnEvent, TurnStream};

use super::{Client, Events, Result, Step};

/// `codex-api` over server-sent events, with its default settings.
#[derive(Debug, Clone)]
pub struct Ours(codex_api::Client);

impl Client for Ours {
    type Events = TurnStream;

    fn new(base: &str, certificate: &[u8]) -> Result<Self> {
        let client = codex_api::Client::builder(Provider::new(base)?).transport(Transport::Sse);
        Ok(Self(client.extra_root_certificate(certificate).build()?))
    }

    async fn open(&self, name: &str) -> Result<TurnStream> {
        Ok(self.0.session().begin_turn().stream(Request::new(name).user("Say much")))
    }
}

impl Events for TurnStream {
    async fn next(&mut self) -> Result<Option<Step>> {
        let event = self.try_next().await?;
        let step = event.as_ref().map(|event| match event {
            TurnEvent::TextDelta(_) => Step::Delta,
            TurnEvent::Completed(_) => Step::Completed,
            _ => Step::Other,
        });
        black_box(event);
        Ok(step)
    }
}
