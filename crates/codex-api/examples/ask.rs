//! One streamed turn of a service: `OPENAI_API_KEY=… cargo run -p codex-api --example ask`.

use std::io::{Write, stdout};

use codex_api::{Auth, Client, Provider, Request, TurnEvent};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder(Provider::from_env()?).auth(Auth::from_env("OPENAI_API_KEY")?).build()?;
    let turn = client.session().begin_turn();
    let mut events = turn.stream(Request::new("gpt-5").user("Say hi"));
    while let Some(event) = events.try_next().await? {
        match event {
            TurnEvent::TextDelta(delta) => {
                print!("{}", delta.text);
                stdout().flush()?; // or nothing is seen before the line ends
            }
            // The answer begins again; what was shown of it may be void, and the line says so.
            TurnEvent::Retry(retry) => eprintln!("\n[{retry}]"),
            _ => {}
        }
    }
    println!();
    Ok(())
}
