//! One streamed turn of a service: `OPENAI_API_KEY=… cargo run --example ask`.

use std::io::{Write, stdout};

use codex_api::{Auth, Client, Provider, Request, TurnEvent};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder(Provider::from_env()?).auth(Auth::from_env("OPENAI_API_KEY")?).build()?;
    let turn = client.session().begin_turn();
    let mut events = turn.stream(Request::new("gpt-5").user("Say hi"));
    while let Some(event) = events.try_next().await? {
        if let TurnEvent::TextDelta(delta) = event {
            print!("{}", delta.text);
            stdout().flush()?;
        }
    }
    println!();
    Ok(())
}
