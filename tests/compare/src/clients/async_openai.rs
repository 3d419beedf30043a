//! `async-openai`.

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::{
        chat::{ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs},
        responses::{CreateResponseArgs, ResponseStreamEvent},
    },
};
use futures_util::StreamExt;

use super::Until;
use crate::{scenarios::Wire, seen::Seen};

pub(super) async fn ask(base_url: &str, wire: Wire, until: Until, seen: &mut Seen) {
    let client = Client::with_config(OpenAIConfig::new().with_api_key("key").with_api_base(base_url));
    let result = match wire {
        Wire::Responses => responses(&client, until, seen).await,
        Wire::Chat => chat(&client, seen).await,
    };
    if let Err(error) = result {
        seen.errors.push(show(&error));
    }
    seen.ended = true;
}

async fn responses(client: &Client<OpenAIConfig>, until: Until, seen: &mut Seen) -> Result<(), OpenAIError> {
    let request = CreateResponseArgs::default().model("demo").stream(true).input("Say hello").build()?;
    let mut events = client.responses().create_stream(request).await?;
    while let Some(event) = events.next().await {
        match event {
            Ok(ResponseStreamEvent::ResponseOutputTextDelta(delta)) => {
                seen.text.push_str(&delta.delta);
                if until == Until::Text {
                    return Ok(());
                }
            }
            Ok(ResponseStreamEvent::ResponseCompleted(_)) => seen.terminal = Some("ResponseCompleted".to_owned()),
            Ok(ResponseStreamEvent::ResponseFailed(_)) => seen.terminal = Some("ResponseFailed".to_owned()),
            Ok(ResponseStreamEvent::ResponseError(_)) => seen.terminal = Some("ResponseError".to_owned()),
            Ok(_) => {}
            // Items go on behind an error.
            Err(error) => seen.errors.push(show(&error)),
        }
    }
    Ok(())
}

async fn chat(client: &Client<OpenAIConfig>, seen: &mut Seen) -> Result<(), OpenAIError> {
    let message = ChatCompletionRequestUserMessageArgs::default().content("Say hello").build()?.into();
    let request = CreateChatCompletionRequestArgs::default().model("demo").messages([message]).build()?;
    let mut chunks = client.chat().create_stream(request).await?;
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => {
                for choice in chunk.choices {
                    seen.text.push_str(choice.delta.content.as_deref().unwrap_or_default());
                }
            }
            Err(error) => seen.errors.push(show(&error)),
        }
    }
    Ok(())
}

fn show(error: &OpenAIError) -> String {
    match error {
        OpenAIError::ApiError(error) => match &error.api_error.code {
            Some(code) => format!("[{code}] {}", error.api_error.message),
            None => error.api_error.message.clone(),
        },
        error => error.to_string(),
    }
}
