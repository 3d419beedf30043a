//! Where the requests go.

use std::env;

use codex_api::{Auth, Client, ClientBuilder, Environment, Provider, ProxySettings};
use codex_stream::TextStyle;
use stream_replay::ReplayServer;

use super::settings::Settings;
use crate::{
    cli::{DEFAULT_KEY, TurnArgs},
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
        let (mut demo, mut note) = (None, None);
        let name = shown(&args.api_key_env);
        let provider = match (base_url, &key) {
            (Some(url), key) => {
                if key.is_none() && args.api_key_env != DEFAULT_KEY {
                    let what = name.map(|name| format!("{name} is not set, or empty"));
                    let what = what.unwrap_or_else(|| "--api-key-env has no name of a variable that is set".to_owned());
                    note = Some(format!("{what}: requests go without a key"));
                }
                Provider::new(url)
            }
            (None, Some(_)) => Ok(Provider::openai()),
            (None, None) => {
                let server = demo::start(settings.wire, style).await;
                let server = server.map_err(|error| usage(format_args!("cannot start the demonstration: {error}")))?;
                let name = name.unwrap_or("--api-key-env");
                note = Some(format!(
                    "no service is configured ({name} or --base-url): this is a bundled recording, played by a local \
                     server"
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
        // Of what cannot be used, only the error is told.
        if let Some(note) = note {
            diagnostics::note(&note);
        }
        Ok(Self { client, _demo: demo })
    }
}

/// The key; an empty variable counts as unset.
fn key(variable: &str) -> Result<Option<String>, Problem> {
    match env::var(variable) {
        Ok(key) => Ok(Some(key).filter(|key| !key.trim().is_empty())),
        Err(env::VarError::NotPresent) if variable.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') => Err(
            usage(format_args!("--api-key-env: expected the name of an environment variable, such as {DEFAULT_KEY}")),
        ),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(usage(format_args!("the value of {variable} is not Unicode text"))),
    }
}

/// The name of a variable that is not set, if it may be repeated: it may be the key itself, given in place of a name.
/// So only what looks like a usual name is, upper-case words of which none is long.
fn shown(variable: &str) -> Option<&str> {
    let is_word = |word: &str| word.len() <= 16 && word.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let is_name = variable.starts_with(|c: char| c.is_ascii_uppercase()) && variable.split('_').all(is_word);
    is_name.then_some(variable)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_name_is_repeated_and_a_key_is_not() {
        for name in ["OPENAI_API_KEY", "KEY", "A_KEY_2", "K8S_AI_KEY"] {
            assert_eq!(shown(name), Some(name));
        }
        for key in ["gsk_abc123", "hf_ABC", "AIzaSyD1", "AKIAIOSFODNN7EXAMPLE", "my_key", "0A1B2C", "_A", "A KEY", ""] {
            assert_eq!(shown(key), None, "{key}");
        }
    }
}
