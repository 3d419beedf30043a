//! A small agent: it answers a question with the help of tools, and keeps the conversation in a file.
//!
//! ```sh
//! cargo run -p codex-api --example agent                                  # needs no account
//! OPENAI_API_KEY=… cargo run -p codex-api --example agent -- talk.json "How many people live in Oslo?"
//! OPENAI_API_KEY=… cargo run -p codex-api --example agent -- talk.json "And in Bergen?"   # goes on with it
//! ```
//!
//! Without a key, and without `OPENAI_BASE_URL`, a server of its own plays the service ([`service`]): it breaks off in
//! the middle of its first answer, asks for three functions at once, then for a custom tool, and answers.

mod agent;
mod conversation;
mod service;
#[cfg(test)]
mod tests;
mod tools;

use std::{env, io::stdout};

use agent::{End, run_turn};
use codex_api::{Auth, Client, Provider};
use conversation::Conversation;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args_os().skip(1);
    let file = arguments.next().map_or_else(|| env::temp_dir().join("codex-api-agent.json"), Into::into);
    let prompt =
        arguments.next().map_or_else(|| service::PROMPT.into(), |prompt| prompt.to_string_lossy().into_owned());

    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    // Lives as long as the turn.
    let mut server = None;
    let mut client = if is_set("OPENAI_API_KEY") || is_set("OPENAI_BASE_URL") {
        Client::builder(Provider::from_env()?)
    } else {
        let server = server.insert(service::start().await?);
        println!("[no OPENAI_API_KEY: a recorded service answers]");
        Client::builder(Provider::new(&server.base_url())?)
    };
    if is_set("OPENAI_API_KEY") {
        client = client.auth(Auth::from_env("OPENAI_API_KEY")?);
    }
    let session = client.build()?.session();

    let mut conversation = Conversation::load(&file)?;
    println!("[{} items from {}]\n> {prompt}", conversation.items().len(), file.display());
    match run_turn(&session, &mut conversation, &prompt, &mut stdout()).await? {
        End::Answered => {}
        End::Incomplete(reason) => println!("[the answer is not whole: {reason}]"),
        End::OutOfRounds => println!("[no answer after {} rounds]", agent::MAX_ROUNDS),
    }
    println!("[{} items in {}]", conversation.items().len(), file.display());
    Ok(())
}
