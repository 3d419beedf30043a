//! A streamed turn against a server of its own, which plays a recorded answer.

use std::io::{Write, stdout};

use codex_api::{Client, Provider, Request, TurnEvent};
use stream_replay::{ReplayServer, Response};

const ANSWER: &str = concat!(
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"demo\"}}\n\n",
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hello, \"}\n\n",
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"world!\"}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\"}}\n\n",
);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ReplayServer::builder().respond(Response::sse(ANSWER)).start().await?;
    let client = Client::builder(Provider::new(&server.base_url())?).build()?;
    let turn = client.session().begin_turn();
    let mut events = turn.stream(Request::new("demo").user("Say hello"));
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
