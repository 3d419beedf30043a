//! Where the requests go.

use std::env;

use codex_api::{Auth, Client, ClientBuilder, Environment, Provider, ProxySettings};
use codex_stream::TextStyle;
use stream_replay::ReplayServer;

use super::settings::Settings;
use crate::{
    cli::TurnArgs,
    demo, diagnostics,
    problem::{Problem, usage},
};

/// A client, and the server behind it where that is our own.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) client: Client,
    _demo: Option<ReplayServer>,
}

impl Service {
    pub(super) async fn connect(args: &TurnArgs, settings: &Settings, style: TextStyle) -> Result<Self, Problem> {
        let key = key(&args.api_key_env)?;
        let base_url = args.base_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let mut demo = None;
        let provider = match (base_url, &key) {
            (Some(url), _) => Provider::new(url),
            (None, Some(_)) => Ok(Provider::openai()),
            (None, None) => {
                let server = demo::start(settings.wire, style).await;
                let server = server.map_err(|error| usage(format_args!("cannot start the demonstration: {error}")))?;
                diagnostics::note(&format!(
                    "no service is configured ({} or --base-url): this is a bundled recording, played by a local server",
                    args.api_key_env
                ));
                Provider::new(&demo.insert(server).base_url())
            }
        };
        let auth = key.map_or_else(|| Ok(Auth::none()), Auth::bearer);
        let client = provider
            .and_then(|provider| {
                let builder = settings.apply(Client::builder(provider))?;
                // Neither the environment nor a proxy leads to a server of our own.
                let ours = |it: ClientBuilder| it.environment(Environment::empty()).proxy(ProxySettings::Direct);
                Ok(if demo.is_some() { ours(builder) } else { builder })
            })
            .and_then(|builder| auth.and_then(|auth| builder.auth(auth).build()))
            .map_err(|error| usage(error.message()))?;
        Ok(Self { client, _demo: demo })
    }
}

/// The key; an empty variable counts as unset. Who gives the key itself instead of a name is not shown it again.
fn key(variable: &str) -> Result<Option<String>, Problem> {
    match env::var(variable) {
        Ok(key) => Ok(Some(key).filter(|key| !key.trim().is_empty())),
        Err(env::VarError::NotPresent) if variable.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') => {
            Err(usage("--api-key-env: expected the name of an environment variable, such as OPENAI_API_KEY"))
        }
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(usage(format_args!("the value of {variable} is not Unicode text"))),
    }
}
