//! The least that a client on hyper can be: its pool, a line splitter, a borrowed struct. It knows nothing of SSE but
//! that lines begin with `data: `, and nothing of errors, deadlines or retries.

use std::borrow::Cow;
use std::hint::black_box;

use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use super::{Client, Events, Result, Step};

/// hyper-util's client without TLS.
#[derive(Debug, Clone)]
pub struct Floor {
    http: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
    url: http::Uri,
}

/// A body in lines.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    frame: Bytes,
    /// A line whose end has not come yet.
    begun: Vec<u8>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow, default)]
    item_id: &'a str,
    #[serde(default)]
    output_index: u32,
    #[serde(default)]
    content_index: u32,
    #[serde(borrow, default)]
    delta: Cow<'a, str>,
}

impl Client for Floor {
    type Events = Lines;

    fn new(base: &str, _certificate: &[u8]) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http, url: format!("{base}/responses").parse()? })
    }

    async fn open(&self, name: &str) -> Result<Lines> {
        let body = format!(r#"{{"model":"{name}","input":"Say much","stream":true}}"#);
        let request = http::Request::post(&self.url).header("content-type", "application/json");
        let response = self.http.request(request.body(Full::from(body))?).await?;
        if !response.status().is_success() {
            return Err("refused".into());
        }
        Ok(Lines { body: response.into_body(), frame: Bytes::new(), begun: Vec::new() })
    }
}

impl Events for Lines {
    async fn next(&mut self) -> Result<Option<Step>> {
        loop {
            while let Some(end) = memchr::memchr(b'\n', &self.frame) {
                let step = if self.begun.is_empty() {
                    event(&self.frame[..end])?
                } else {
                    self.begun.extend_from_slice(&self.frame[..end]);
                    let step = event(&self.begun)?;
                    self.begun.clear();
                    step
                };
                self.frame.advance(end + 1);
                if step.is_some() {
                    return Ok(step);
                }
            }
            self.begun.extend_from_slice(&self.frame);
            match self.body.frame().await.transpose()? {
                Some(frame) => self.frame = frame.into_data().unwrap_or_default(),
                None => return Ok(None),
            }
        }
    }
}

fn event(line: &[u8]) -> Result<Option<Step>> {
    let Some(data) = line.strip_prefix(b"data: ") else { return Ok(None) };
    let event = serde_json::from_slice::<Event<'_>>(data)?;
    let step = match event.kind {
        "response.output_text.delta" => Step::Delta,
        "response.completed" => Step::Completed,
        _ => Step::Other,
    };
    black_box((event.item_id, event.output_index, event.content_index, &event.delta));
    Ok(Some(step))
}
