//! reqwest, eventsource-stream and `serde_json`, in a task that fills a channel: the shape of the Codex CLI.

use std::hint::black_box;
use std::time::Duration;

use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Client, Events, Result, Step};
use crate::peers::json::LooseEvent;

/// Events that wait for the caller.
const ROOM: usize = 1600;
/// The longest pause of a stream.
const IDLE: Duration = Duration::from_secs(300);

/// The client with its task.
#[derive(Debug, Clone)]
pub struct Channel {
    http: reqwest::Client,
    url: String,
}

/// reqwest, which speaks HTTP/2 where the server offers it.
pub(super) fn http(certificate: &[u8]) -> Result<reqwest::Client> {
    // Asked for by its feature `rustls-no-provider`. A second time it fails, and nothing is lost.
    _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = reqwest::Certificate::from_der(certificate)?;
    Ok(reqwest::Client::builder().tls_certs_only([certificate]).build()?)
}

impl Client for Channel {
    type Events = mpsc::Receiver<LooseEvent>;

    fn new(base: &str, certificate: &[u8]) -> Result<Self> {
        Ok(Self { http: http(certificate)?, url: format!("{base}/responses") })
    }

    async fn open(&self, name: &str) -> Result<Self::Events> {
        let body = serde_json::json!({ "model": name, "input": "Say much", "stream": true });
        let request = self.http.post(&self.url).header("accept", "text/event-stream").json(&body);
        let response = request.send().await?.error_for_status()?;
        let (sender, receiver) = mpsc::channel(ROOM);
        tokio::spawn(async move {
            let mut events = response.bytes_stream().eventsource();
            while let Ok(Some(Ok(event))) = timeout(IDLE, events.next()).await {
                let Ok(event) = serde_json::from_str::<LooseEvent>(&event.data) else { continue };
                let is_last = event.kind == "response.completed";
                if sender.send(event).await.is_err() || is_last {
                    return;
                }
            }
        });
        Ok(receiver)
    }
}

impl Events for mpsc::Receiver<LooseEvent> {
    async fn next(&mut self) -> Result<Option<Step>> {
        let event = self.recv().await;
        let step = event.as_ref().map(|event| match event.kind.as_str() {
            "response.output_text.delta" => Step::Delta,
            "response.completed" => Step::Completed,
            _ => Step::Other,
        });
        black_box(event);
        Ok(step)
    }
}
