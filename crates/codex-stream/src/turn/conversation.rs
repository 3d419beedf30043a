//! What the next request carries: everything sent before, the finished items, the tools' answers.

use std::collections::{BTreeMap, HashMap};

use response_events::{Item, TurnEvent};

/// The history of a session, as its next request sends it.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    input: Vec<Item>,
    /// The finished items of the answer that is arriving.
    finished: BTreeMap<u32, Item>,
    completed: bool,
}

/// What follows on an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The turn is over.
    EndTurn,
    /// The turn is over with the call of this tool, whose output nobody knows.
    Unanswered(String),
    /// The tools have answered: the model is to be asked again.
    FollowUp,
}

impl Conversation {
    /// The user says something.
    pub(super) fn say(&mut self, prompt: &str) {
        self.input.push(Item::user(prompt));
    }

    /// The input of the next request.
    pub(super) fn input(&self) -> Vec<Item> {
        self.input.clone()
    }

    /// Takes in an event of the answer.
    pub(super) fn observe(&mut self, event: &TurnEvent) {
        match event {
            // A new attempt sends the answer from its beginning; what the last one brought is void.
            TurnEvent::Retry(_) | TurnEvent::Request(_) => self.finished.clear(),
            // Further choices are alternatives; a conversation goes on with the first.
            TurnEvent::ItemDone(done) if done.choice_index == 0 => {
                self.finished.insert(done.output_index, done.item.clone());
            }
            TurnEvent::Completed(_) => self.completed = true,
            _ => {}
        }
    }

    /// The answer has ended well: it becomes history, and so do the tools' outputs if every called tool has one.
    pub(super) fn end_answer(&mut self, tool_outputs: &HashMap<String, String>) -> Next {
        let completed = std::mem::take(&mut self.completed);
        // A call that was cut off cannot be sent back; of an answer that was, a call has to say that it was not.
        let is_whole = |item: &Item| match item.status() {
            _ if item.as_call().is_none() => true,
            status if completed => status != Some("incomplete"),
            status => status == Some("completed"),
        };
        let items: Vec<Item> = std::mem::take(&mut self.finished).into_values().filter(is_whole).collect();
        let outputs: Result<Vec<Item>, String> = items.iter().filter_map(|item| output(item, tool_outputs)).collect();
        self.input.extend(items);
        match outputs {
            Ok(outputs) if outputs.is_empty() => Next::EndTurn,
            Ok(outputs) => {
                self.input.extend(outputs);
                Next::FollowUp
            }
            Err(name) => Next::Unanswered(name),
        }
    }
}

/// What the tool answers that an item calls, or the tool's name where nobody knows.
fn output(item: &Item, tool_outputs: &HashMap<String, String>) -> Option<Result<Item, String>> {
    let call = item.as_call()?;
    Some(tool_outputs.get(call.name).map(|output| call.output(output)).ok_or_else(|| call.name.to_owned()))
}

#[cfg(test)]
mod tests {
    use response_events::{
        FailureKind, Interpreter, InterpreterOptions, ItemEvent, Outcome, RequestStarted, Retry, TransportKind, Wire,
    };
    use serde_json::json;

    use super::*;

    /// Lets the conversation hear an answer of these calls (names, with a status where they have one), and gives the
    /// types (and the outputs) of the next input.
    #[track_caller]
    fn check(calls: &[(&str, &str)], end: &str, expected: &Next, input: &[&str]) {
        let tool_outputs = HashMap::from([("clock".to_owned(), "noon".to_owned())]);
        let mut conversation = Conversation::default();
        conversation.say("What time is it?");
        let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
        for (index, (item_type, name)) in calls.iter().enumerate() {
            let (name, status) = name.split_once(' ').map_or((*name, None), |(name, status)| (name, Some(status)));
            let mut item = json!({"type": item_type, "call_id": format!("c{index}"), "name": name, "arguments": "{}"});
            if let Some(status) = status {
                item["status"] = json!(status);
            }
            let event = json!({"type": "response.output_item.done", "output_index": index, "item": item});
            stream.handle_event(None, event.to_string().as_bytes());
        }
        stream.handle_event(None, json!({"type": end}).to_string().as_bytes());
        while let Some(event) = stream.poll_event() {
            conversation.observe(&event);
        }
        if let Some(Outcome::Completed(response)) = stream.outcome() {
            conversation.observe(&TurnEvent::Completed(response.clone()));
        }
        assert_eq!(&conversation.end_answer(&tool_outputs), expected);
        let seen: Vec<String> = conversation
            .input()
            .iter()
            .map(|item| match item.as_json().get("output") {
                Some(output) => format!("{} {output}", item.item_type()),
                None => item.item_type().to_owned(),
            })
            .collect();
        assert_eq!(seen, input);
    }

    #[test]
    fn answered_calls_are_followed_up() {
        check(
            &[("function_call", "clock"), ("custom_tool_call", "clock")],
            "response.completed",
            &Next::FollowUp,
            &[
                "message",
                "function_call",
                "custom_tool_call",
                "function_call_output \"noon\"",
                "custom_tool_call_output \"noon\"",
            ],
        );
    }

    #[test]
    fn a_turn_ends_without_calls_and_after_a_call_that_nobody_answers() {
        check(&[], "response.completed", &Next::EndTurn, &["message"]);
        check(
            &[("function_call", "clock"), ("function_call", "map"), ("function_call", "phone")],
            "response.completed",
            &Next::Unanswered("map".to_owned()),
            &["message", "function_call", "function_call", "function_call"],
        );
    }

    #[test]
    fn a_call_of_an_incomplete_answer_counts_only_if_it_says_that_it_is_whole() {
        let end = "response.incomplete";
        check(&[("function_call", "clock")], end, &Next::EndTurn, &["message"]);
        let followed = ["message", "function_call", "function_call_output \"noon\""];
        check(&[("function_call", "clock completed")], end, &Next::FollowUp, &followed);
        check(&[("function_call", "clock incomplete")], end, &Next::EndTurn, &["message"]);
        check(&[("function_call", "clock incomplete")], "response.completed", &Next::EndTurn, &["message"]);
    }

    #[test]
    fn nothing_of_a_void_attempt_becomes_history() {
        let attempt = |attempt| TurnEvent::Request(RequestStarted::new(attempt, TransportKind::Sse, ""));
        let done = |output_index, text: &str| TurnEvent::ItemDone(ItemEvent::new(output_index, Item::user(text)));
        let mut retry = Retry::new(2, 9, FailureKind::Truncated, "");
        retry.discarded = true;
        let void = TurnEvent::Retry(retry);
        // Each of the two makes the attempt void by itself.
        for between in [vec![void.clone()], vec![attempt(2)], vec![void, attempt(2)]] {
            let mut conversation = Conversation::default();
            let events = [vec![attempt(1), done(0, "void"), done(1, "void too")], between, vec![done(0, "kept")]];
            for event in events.concat() {
                conversation.observe(&event);
            }
            conversation.end_answer(&HashMap::new());
            assert_eq!(conversation.input(), [Item::user("kept")]);
        }
    }
}
