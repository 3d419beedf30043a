//! What the arguments come to.

use std::{
    collections::HashMap,
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use codex_api::{ClientBuilder, OnCut, ProxyUrl, RetryPolicy, Timeouts, Transport};
use codex_stream::{OutputFormat, TextStyle};
use response_events::{Request, Wire};
use serde_json::Value;

use crate::{
    cli::{Field, Header, ToolOutput, TransportArg, TurnArgs},
    problem::{Problem, usage},
};

const MODEL: &str = "gpt-5";

/// What is known before a connection is opened.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) wire: Wire,
    pub(super) transport: Transport,
    /// Everything of a request but its input.
    pub(super) template: Request,
    /// What tools answer, by their name.
    pub(super) tool_outputs: HashMap<String, String>,
    headers: Vec<Header>,
    timeouts: Timeouts,
    ca: Option<PathBuf>,
    proxy: Option<ProxyUrl>,
    policy: RetryPolicy,
    on_cut: OnCut,
    max_event_bytes: usize,
}

impl Settings {
    pub(super) fn new(args: &TurnArgs) -> Result<Self, Problem> {
        let wire = Wire::from(args.wire);
        if (args.transport, wire) == (TransportArg::Ws, Wire::Chat) {
            return Err(usage("--transport ws needs --wire responses"));
        }
        if args.output == OutputFormat::Html {
            return Err(usage("--output html is for `decode`"));
        }
        let timeouts = Timeouts {
            connect: args.connect_timeout.0,
            head: args.head_timeout.0,
            first_event: args.first_event_timeout.0,
            idle: args.idle_timeout.0,
            progress: args.progress_timeout.0,
            turn: args.turn_timeout.0,
            ..Timeouts::default()
        };
        let tool_outputs: Vec<ToolOutput> = parsed_all("--tool-output", &args.tool_outputs)?;
        Ok(Self {
            wire,
            transport: args.transport.into(),
            template: template(args)?,
            tool_outputs: tool_outputs.into_iter().map(|tool| (tool.name, tool.text)).collect(),
            headers: parsed_all("--header", &args.headers)?,
            timeouts,
            ca: args.ca.clone(),
            proxy: args.proxy.as_deref().map(|url| parsed("--proxy", url)).transpose()?,
            policy: policy(args)?,
            on_cut: args.on_cut.into(),
            max_event_bytes: args.max_event_bytes,
        })
    }

    /// Puts these settings into a client that is being built.
    pub(super) fn apply(&self, builder: ClientBuilder) -> Result<ClientBuilder, codex_api::Error> {
        let builder = builder
            .wire(self.wire)
            .transport(self.transport)
            .timeouts(self.timeouts)
            .retry(self.policy.clone())
            .on_cut(self.on_cut)
            .max_event_bytes(self.max_event_bytes);
        let builder = match &self.ca {
            Some(path) => builder.ca_file(path),
            None => builder,
        };
        let builder = match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        };
        self.headers.iter().try_fold(builder, |builder, header| builder.append_header(&header.name, &header.value))
    }

    /// For whom text is, once it is known where it goes.
    pub(super) fn text_style(&self, stdout: TextStyle) -> TextStyle {
        // Over a WebSocket an attempt can be void without another one being counted.
        let again = self.policy.max_attempts() > 1 || self.transport != Transport::Sse;
        let revocable = self.on_cut == OnCut::Discard && again;
        match stdout {
            TextStyle::Pipe if revocable => TextStyle::PipeWhenFinal,
            style => style,
        }
    }
}

fn policy(args: &TurnArgs) -> Result<RetryPolicy, Problem> {
    let max_wait = args.max_wait.0;
    let max_wait =
        max_wait.ok_or_else(|| usage("--max-wait must not be zero; --max-attempts 1 switches retries off"))?;
    let policy = RetryPolicy::new().with_max_attempts(args.max_attempts.get()).with_max_wait(max_wait);
    // The settings of the policy have the names of the options.
    let named = policy.validate().map_err(|error| {
        let (setting, option) = (error.setting(), error.setting().replace('_', "-"));
        usage(error.to_string().replace(&format!("`{setting}`"), &format!("--{option}")))
    });
    named.map(|()| policy)
}

fn template(args: &TurnArgs) -> Result<Request, Problem> {
    let model = args.model.as_deref().map(str::trim).filter(|model| !model.is_empty()).unwrap_or(MODEL);
    let mut request = Request::new(model);
    request.instructions.clone_from(&args.instructions);
    request.reasoning_effort.clone_from(&args.reasoning_effort);
    if let Some(path) = &args.tools {
        request.tools = read_tools(path)?;
    }
    let fields: Vec<Field> = parsed_all("--set", &args.fields)?;
    Ok(fields.into_iter().fold(request, |request, field| request.set(&field.path, field.value)))
}

fn read_tools(path: &Path) -> Result<Vec<Value>, Problem> {
    let shown = path.display();
    let text = fs::read(path).map_err(|error| usage(format_args!("cannot read {shown}: {error}")))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Array(tools)) => Ok(tools),
        Ok(_) => Err(usage(format_args!("{shown} must hold a JSON array of tool definitions"))),
        Err(error) => Err(usage(format_args!("{shown} is no JSON: {error}"))),
    }
}

/// Reads the value of an option, which no message repeats.
fn parsed<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error| usage(format_args!("{option}: {error}")))
}

/// The same of an option that may be given several times.
fn parsed_all<T: FromStr<Err: Display>>(option: &str, texts: &[String]) -> Result<Vec<T>, Problem> {
    texts.iter().map(|text| parsed(option, text)).collect()
}
