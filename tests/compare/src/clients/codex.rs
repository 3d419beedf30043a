//! `codex-api`.

use codex_api::{Client, Error, Provider, Request, TurnEvent};

use super::Until;
use crate::{scenarios::Wire, seen::Seen};

pub(super) async fn ask(base_url: &str, wire: Wire, until: Until, seen: &mut Seen) {
    if let Err(error) = run(base_url, wire, until, seen).await {
        seen.errors.push(match error.code() {
            Some(code) => format!("[{code}] {}", error.message()),
            None => error.message().to_owned(),
        });
    }
    seen.ended = true;
}

async fn run(base_url: &str, wire: Wire, until: Until, seen: &mut Seen) -> Result<(), Error> {
    let wire = match wire {
        Wire::Responses => codex_api::Wire::Responses,
        Wire::Chat => codex_api::Wire::Chat,
    };
    let client = Client::builder(Provider::new(base_url)?).wire(wire).build()?;
    let turn = client.session().begin_turn();
    let mut events = turn.stream(Request::new("demo").user("Say hello"));
    while let Some(event) = events.try_next().await? {
        match event {
            TurnEvent::TextDelta(delta) => {
                seen.text.push_str(&delta.text);
                if until == Until::Text {
                    return Ok(());
                }
            }
            // The attempt is void.
            TurnEvent::Retry(retry) if retry.discarded => seen.text.clear(),
            TurnEvent::Unknown(_) => seen.unknown += 1,
            TurnEvent::Completed(_) => seen.terminal = Some("Completed".to_owned()),
            _ => {}
        }
    }
    Ok(())
}
