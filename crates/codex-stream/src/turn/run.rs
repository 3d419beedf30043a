//! The loop over turns, their requests, and the events of these.

use std::{io, time::Instant};

use codex_api::{Transport, Turn};
use codex_stream::{ExitStatus, OutputFormat, Place, Render, renderer};
use response_events::{Failure, FailureKind, Request};

use super::{
    conversation::{Conversation, Next},
    prompts::Prompts,
    service::Service,
    settings::Settings,
    standing::Standing,
    tally::Tally,
};
use crate::{
    cli::TurnArgs,
    diagnostics::{self, Subject},
    interrupt::{self, Interrupt},
    problem::{Problem, usage},
    progress::Progress,
};

pub(super) async fn run(args: &TurnArgs, settings: Settings) -> Result<ExitStatus, Problem> {
    let style = settings.text_style(diagnostics::stdout_style());
    let service = Service::connect(args, &settings, style).await?;
    let mut run = Run {
        format: args.output,
        max_follow_ups: args.max_follow_ups,
        renderer: renderer(args.output, settings.wire, style),
        conversation: Conversation::default(),
        progress: Progress::on_stderr(),
        interrupt: interrupt::listen(),
        settings,
    };
    let session = service.client.session();
    let mut prompts = Prompts::new(&args.prompts);
    for turn in 0.. {
        let prompt = tokio::select! {
            prompt = prompts.next() => prompt,
            _ = &mut run.interrupt => {
                diagnostics::error("interrupted");
                return Ok(ExitStatus::Interrupted);
            }
        };
        let prompt = prompt.map_err(|error| usage(format_args!("cannot read standard input: {error}")))?;
        let Some(prompt) = prompt else {
            if turn == 0 {
                diagnostics::note("standard input has no prompt in it");
            }
            break;
        };
        run.conversation.say(&prompt);
        let status = run.turn(&session.begin_turn(), turn).await?;
        if status != ExitStatus::Success {
            if prompts.may_go_on() && status != ExitStatus::Interrupted {
                diagnostics::note(&format!("the run ends with prompt {}; none behind it is sent", turn + 1));
            }
            return Ok(status);
        }
    }
    Ok(ExitStatus::Success)
}

struct Run {
    settings: Settings,
    format: OutputFormat,
    max_follow_ups: u32,
    renderer: Box<dyn Render + Send>,
    conversation: Conversation,
    progress: Progress,
    interrupt: Interrupt,
}

impl Run {
    /// One turn: the first request and its follow-ups.
    async fn turn(&mut self, turn: &Turn, number: u32) -> Result<ExitStatus, Problem> {
        for request in 0.. {
            let body = self.settings.template.clone().items(self.conversation.input());
            let next = match self.request(turn, body, Place { turn: number, request }).await? {
                Ok(next) => next,
                Err(failure) => return Ok(ExitStatus::of(Some(&failure))),
            };
            match next {
                Next::EndTurn => break,
                Next::Unanswered(name) => {
                    // Without any canned output nobody expects one.
                    if !self.settings.tool_outputs.is_empty() {
                        diagnostics::note(&format!(
                            "the turn ends with the call of {name}, which no --tool-output answers"
                        ));
                    }
                    break;
                }
                Next::FollowUp if request >= self.max_follow_ups => {
                    diagnostics::error(&format!(
                        "the model still calls tools after {} follow-up requests, which is the limit (--max-follow-ups)",
                        self.max_follow_ups
                    ));
                    return Ok(ExitStatus::Way);
                }
                Next::FollowUp => {}
            }
        }
        Ok(ExitStatus::Success)
    }

    /// One request: its events are shown as they come. Gives what follows, or the failure that ended it, which has been
    /// reported.
    async fn request(&mut self, turn: &Turn, body: Request, place: Place) -> Result<Result<Next, Failure>, Problem> {
        let started = Instant::now();
        let (mut tally, mut standing) = (Tally::default(), Standing::default());
        let out = &mut io::stdout().lock();
        self.renderer.begin(Some(place), out)?;
        let mut events = turn.stream(body);
        let failure = loop {
            let event = tokio::select! {
                // First, so that a stream that never pauses can be stopped, too.
                biased;
                _ = &mut self.interrupt => break Some(standing.interrupted(events.ledger())),
                event = events.try_next() => event,
            };
            self.progress.clear();
            match event {
                Ok(Some(event)) => {
                    let at = started.elapsed();
                    tally.observe(at, &event);
                    standing.observe(&event);
                    self.renderer.event(Some(at), &event, out)?;
                    self.progress.show(&event);
                    if event.is_terminal() {
                        break None;
                    }
                }
                Ok(None) => break Some(Failure::new(FailureKind::Protocol, "the stream ended without its last event")),
                Err(error) => break Some(error.into_failure()),
            }
        };
        self.progress.clear();
        self.renderer.end(failure.as_ref(), events.ledger(), out)?;
        diagnostics::after_answer(self.format, failure.as_ref(), events.ledger());
        if let Some(failure) = &failure {
            diagnostics::failure(Subject::Request, failure);
        }
        // That a service has no WebSocket says nothing of its wires.
        if self.settings.transport != Transport::WebSocket {
            diagnostics::other_endpoint(self.settings.wire, failure.as_ref());
        }
        diagnostics::cost(self.format, &tally.line(started.elapsed(), events.ledger()));
        Ok(match (failure, events.answer()) {
            (Some(failure), _) => Err(failure),
            (None, Some(answer)) => Ok(self.conversation.take_in(answer, &self.settings.tool_outputs)),
            (None, None) => Ok(Next::EndTurn),
        })
    }
}
