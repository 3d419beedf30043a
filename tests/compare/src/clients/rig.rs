//! `rig-core` with its feature `reqwest`.

use futures_util::StreamExt;
use rig_core::{
    ProviderError,
    completion::CompletionRequest,
    providers::openai::OpenAIConfig,
    streaming::{CompletionStream, Item, StreamEvent},
};

use super::Until;
use crate::{scenarios::Wire, seen::Seen};

pub(super) async fn ask(base_url: &str, wire: Wire, until: Until, seen: &mut Seen) {
    let client = OpenAIConfig::new("key").with_base_url(base_url).client();
    let request = CompletionRequest::new("Say hello");
    let stream = match wire {
        Wire::Responses => client.responses("demo").stream(request),
        Wire::Chat => client.chat("demo").stream(request),
    };
    let result = match stream {
        Ok(stream) => read(stream, until, seen).await,
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        seen.errors.push(error.to_string());
    }
    seen.ended = true;
}

async fn read(mut stream: CompletionStream, until: Until, seen: &mut Seen) -> Result<(), ProviderError> {
    while let Some(item) = stream.next().await {
        match item? {
            Item::Event(StreamEvent::Text { text, .. }) => {
                seen.text.push_str(&text);
                if until == Until::Text {
                    return Ok(());
                }
            }
            Item::Event(_) => {}
            Item::Unknown(_) => seen.unknown += 1,
        }
    }
    Ok(())
}
