//! `async-openai`: the Responses API, typed.

use std::hint::black_box;

use async_openai::config::OpenAIConfig;
use async_openai::types::responses::{CreateResponse, ResponseStream, ResponseStreamEvent};
use futures_util::StreamExt;

use super::{Client, Events, Result, Step};

/// `async-openai` with reqwest below it.
#[derive(Debug, Clone)]
pub struct AsyncOpenAi(async_openai::Client<OpenAIConfig>);

impl Client for AsyncOpenAi {
    type Events = ResponseStream;

    fn new(base: &str, certificate: &[u8]) -> Result<Self> {
        let config = OpenAIConfig::new().with_api_base(base).with_api_key("none");
        Ok(Self(async_openai::Client::build(super::channel::http(certificate)?, config)))
    }

    async fn open(&self, name: &str) -> Result<ResponseStream> {
        let request = CreateResponse { model: Some(name.to_owned()), input: "Say much".into(), ..Default::default() };
        Ok(self.0.responses().create_stream(request).await?)
    }
}

impl Events for ResponseStream {
    async fn next(&mut self) -> Result<Option<Step>> {
        let event = StreamExt::next(self).await.transpose()?;
        let step = event.as_ref().map(|event| match event {
            ResponseStreamEvent::ResponseOutputTextDelta(_) => Step::Delta,
            ResponseStreamEvent::ResponseCompleted(_) => Step::Completed,
            _ => Step::Other,
        });
        black_box(event);
        Ok(step)
    }
}
