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
    for round in 1..=MAX_ROUNDS {
        let mut request = Request::new("gpt-5").instructions("Use the tools.");
        request.tools = tools::definitions();
        let answer = show(turn.stream(request.items(conversation.items().to_vec())), out).await?;

        // The last call of an answer that is not whole may be cut, and nobody would read outputs after the last round.
        let why_not = match answer.incomplete_reason {
            Some(_) => Some("not done: the answer was cut"),
            None if round == MAX_ROUNDS => Some("not done: too many rounds"),
            None => None,
        };
        let outputs = make_calls(&answer, why_not, out).await?;
        let is_last = outputs.is_empty();
        // Every call has its output, or the service would refuse the conversation.
        conversation.extend(answer.items.into_iter().chain(outputs));
        conversation.save()?;
        if let Some(reason) = answer.incomplete_reason {
            return Ok(End::Incomplete(reason));
        }
        if is_last {
            return Ok(End::Answered);
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
                // The next attempt begins the answer again. A terminal cannot take back what it has shown: the line says
                // what is void.
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

/// Makes the calls of an answer side by side, unless there is a reason not to. The outputs come in the calls' order.
async fn make_calls(answer: &Answer, why_not: Option<&str>, out: &mut impl Write) -> Result<Vec<Item>, Box<dyn Error>> {
    let mut running = JoinSet::new(); // dropped with the turn, it stops them
    for (place, item) in answer.items.iter().filter(|item| item.as_call().is_some()).cloned().enumerate() {
        // On the Chat wire a call may be cut although the answer is whole.
        let cut = (item.status() == Some("incomplete")).then_some("not done: the call was cut");
        let why_not = why_not.or(cut).map(str::to_owned);
        running.spawn(async move {
            let call = item.as_call()?;
            let output = match why_not {
                Some(why_not) => why_not,
                None => tools::run(call.name, call.arguments).await.unwrap_or_else(|error| format!("error: {error}")),
            };
            let line = format!("[{} {} -> {output}]", call.name, call.arguments);
            Some((place, line, call.output(output)))
        });
    }
    let mut done: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    done.sort_by_key(|(place, ..)| *place);
    done.iter().try_for_each(|(_, line, _)| writeln!(out, "{line}"))?;
    Ok(done.into_iter().map(|(.., output)| output).collect())
}
