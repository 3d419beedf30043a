//! A small agent: it answers a question with the help of tools, and keeps the conversation in a file.
//!
//! ```sh
//! cargo run -p codex-api --example agent                                  # needs no account
//! OPENAI_API_KEY=… cargo run -p codex-api --example agent -- talk.json "How many people live in Oslo?"
//! OPENAI_API_KEY=… cargo run -p codex-api --example agent -- talk.json "And in Bergen?"   # goes on with it
//! ```
//!
//! Without arguments a server of its own plays the service ([`service`]), whatever the environment says: it breaks off
//! in the middle of its first answer, asks for three functions at once, then for a custom tool, and answers. With a
//! file, and a prompt, the service of `OPENAI_BASE_URL` is asked, or else OpenAI's. The first line says which it is.

mod agent;
mod conversation;
mod service;
#[cfg(test)]
mod tests;
mod tools;

use std::{env, ffi::OsString, io::stdout, path::Path};

use agent::{End, run_turn};
use codex_api::{Auth, Client, Environment, Provider, ProxySettings};
use conversation::Conversation;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match &arguments[..] {
        [] => demonstrate().await,
        [file, prompt] => {
            let prompt = prompt.to_str().ok_or("the prompt is not UTF-8")?;
            ask(&real_service()?, file.as_ref(), prompt).await
        }
        _ => Err("usage: agent [FILE PROMPT]; without them a demonstration needs no account".into()),
    }
}

/// A turn with the service on this machine, whose conversation is gone afterwards.
async fn demonstrate() -> Result<(), Box<dyn std::error::Error>> {
    let server = service::start().await?;
    println!("[a demonstration: a recorded service on this machine answers]");
    let client = Client::builder(Provider::new(&server.base_url())?)
        .environment(Environment::empty())
        .proxy(ProxySettings::Direct)
        .build()?;
    let folder = tempfile::tempdir()?;
    ask(&client, &folder.path().join("talk.json"), service::PROMPT).await
}

/// A client of the service that the environment names.
fn real_service() -> Result<Client, Box<dyn std::error::Error>> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let provider = Provider::from_env()?;
    let auth = if is_set("OPENAI_API_KEY") {
        Auth::from_env("OPENAI_API_KEY")?
    } else if is_set("OPENAI_BASE_URL") {
        Auth::none() // as services on the same machine want it
    } else {
        return Err("set OPENAI_API_KEY, or OPENAI_BASE_URL for a service that wants no key".into());
    };
    println!("[{provider:?} answers]");
    Ok(Client::builder(provider).auth(auth).build()?)
}

/// Goes on with the conversation in the file, by one turn.
async fn ask(client: &Client, file: &Path, prompt: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut conversation = Conversation::load(file)?;
    println!("[a conversation of {} items]\n> {prompt}", conversation.items().len());
    match run_turn(&client.session(), &mut conversation, prompt, &mut stdout()).await? {
        End::Answered => {}
        End::Incomplete(reason) => println!("[the answer is not whole: {reason}]"),
        End::OutOfRounds => println!("[no answer after {} rounds]", agent::MAX_ROUNDS),
    }
    println!("[it has {} items now]", conversation.items().len());
    Ok(())
}
