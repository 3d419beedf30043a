//! The loop: ask, show, make the calls, ask again.

use std::{error::Error, io::Write};

use codex_api::{Answer, Item, Request, Session, TurnEvent, TurnStream};
use tokio::task::JoinSet;

use crate::{conversation::Conversation, tools};

/// How often the model is asked in one turn.
pub(crate) const MAX_ROUNDS: usize = 8;

/// How a turn ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// The model had its say.
    Answered,
    /// The service stopped it, for this reason.
    Incomplete(String),
    /// It went on calling.
    OutOfRounds,
}

/// One turn of the user, with all its rounds. What a round brought is saved before the next one begins.
pub(crate) async fn run_turn(
    session: &Session,
    conversation: &mut Conversation,
    prompt: &str,
    out: &mut impl Write,
) -> Result<End, Box<dyn Error>> {
    // One turn for all rounds: it keeps them on one backend.
    let turn = session.begin_turn();
    conversation.extend([Item::user(prompt)]);
    for _ in 0..MAX_ROUNDS {
        let mut request = Request::new("gpt-5").instructions("Use the tools.");
        request.tools = tools::definitions();
        let answer = show(turn.stream(request.items(conversation.items().to_vec())), out).await?;
        let outputs = make_calls(&answer, out).await?;
        let is_last = outputs.is_empty();
        conversation.extend(answer.history().chain(outputs));
        conversation.save()?;
        if is_last {
            return Ok(answer.incomplete_reason.map_or(End::Answered, End::Incomplete));
        }
    }
    Ok(End::OutOfRounds)
}

/// Shows an answer as it comes, and gives it as a whole.
async fn show(mut events: TurnStream, out: &mut impl Write) -> Result<Answer, Box<dyn Error>> {
    let mut is_fresh_line = true;
    while let Some(event) = events.try_next().await? {
        match event {
            TurnEvent::TextDelta(delta) => {
                write!(out, "{}", delta.text)?;
                out.flush()?; // or nothing is seen before the line ends
                is_fresh_line = false;
            }
            TurnEvent::Retry(retry) => {
                // The answer begins again. A terminal cannot take back what it has shown: the line says what is void.
                let line_end = if is_fresh_line { "" } else { "\n" };
                writeln!(out, "{line_end}[{retry}]")?;
                is_fresh_line = true;
            }
            _ => {}
        }
    }
    if !is_fresh_line {
        writeln!(out)?;
    }
    // Holds nothing of attempts that were void.
    Ok(events.collect().await?)
}

/// Makes the calls of an answer side by side; those that were cut off are not among them. The outputs come in the order
/// of the calls.
async fn make_calls(answer: &Answer, out: &mut impl Write) -> Result<Vec<Item>, Box<dyn Error>> {
    let mut running = JoinSet::new(); // dropped with the turn, it stops them
    for (place, call) in answer.calls().enumerate() {
        let (name, arguments) = (call.name.to_owned(), call.arguments.to_owned());
        running.spawn(async move { (place, tools::run(&name, &arguments).await) });
    }
    let mut done = running.join_all().await;
    done.sort_by_key(|(place, _)| *place);
    let mut outputs = Vec::new();
    for (call, (_, output)) in answer.calls().zip(done) {
        let output = output.unwrap_or_else(|error| format!("error: {error}"));
        writeln!(out, "[{} {} -> {output}]", call.name, call.arguments)?;
        outputs.push(call.output(output));
    }
    Ok(outputs)
}
