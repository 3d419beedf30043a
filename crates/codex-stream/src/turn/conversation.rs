//! What the next request carries: everything sent before, the finished items, the tools' answers.

use std::collections::HashMap;

use codex_api::Answer;
use response_events::Item;

/// The history of a session, as its next request sends it.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    input: Vec<Item>,
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

    /// An answer becomes history, and so do the outputs of the tools that it calls. Calls without one do not: services
    /// refuse a request with them.
    pub(super) fn take_in(&mut self, answer: &Answer, tool_outputs: &HashMap<String, String>) -> Next {
        let (mut outputs, mut unanswered) = (Vec::new(), None);
        for call in answer.calls() {
            match tool_outputs.get(call.name) {
                Some(output) => outputs.push(call.output(output)),
                None => unanswered = unanswered.or_else(|| Some(call.name.to_owned())),
            }
        }
        let next = match unanswered {
            Some(name) => Next::Unanswered(name),
            None if outputs.is_empty() => Next::EndTurn,
            None => Next::FollowUp,
        };
        self.input.extend(answer.history_with(outputs));
        next
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Lets the conversation take in an answer of these items (types and names, with a status where they have one),
    /// and gives the types (and the outputs) of the next input.
    #[track_caller]
    fn check(items: &[(&str, &str)], incomplete_reason: Option<&str>, expected: &Next, input: &[&str]) {
        let tool_outputs = HashMap::from([("clock".to_owned(), "noon".to_owned())]);
        let mut conversation = Conversation::default();
        conversation.say("What time is it?");
        let mut answer = Answer::default();
        answer.incomplete_reason = incomplete_reason.map(str::to_owned);
        for (index, (item_type, name)) in items.iter().enumerate() {
            let (name, status) = name.split_once(' ').map_or((*name, None), |(name, status)| (name, Some(status)));
            let mut item = json!({"type": item_type, "call_id": format!("c{index}"), "name": name, "arguments": "{}"});
            if let Some(status) = status {
                item["status"] = json!(status);
            }
            answer.items.push(Item::from_json(item).unwrap());
        }
        assert_eq!(&conversation.take_in(&answer, &tool_outputs), expected);
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
            &[("reasoning", ""), ("function_call", "clock"), ("custom_tool_call", "clock")],
            None,
            &Next::FollowUp,
            &[
                "message",
                "reasoning",
                "function_call",
                "custom_tool_call",
                "function_call_output \"noon\"",
                "custom_tool_call_output \"noon\"",
            ],
        );
    }

    #[test]
    fn a_turn_ends_without_calls_and_after_a_call_that_nobody_answers() {
        check(&[], None, &Next::EndTurn, &["message"]);
        let map = Next::Unanswered("map".to_owned());
        check(&[("reasoning", ""), ("function_call", "map")], None, &map, &["message"]);
        check(
            &[("function_call", "clock"), ("function_call", "map"), ("function_call", "phone")],
            None,
            &map,
            &["message", "function_call", "function_call_output \"noon\""],
        );
    }

    #[test]
    fn a_call_of_an_incomplete_answer_counts_only_if_it_says_that_it_is_whole() {
        let cut = Some("max_output_tokens");
        check(&[("function_call", "clock")], cut, &Next::EndTurn, &["message"]);
        let followed = ["message", "function_call", "function_call_output \"noon\""];
        check(&[("function_call", "clock completed")], cut, &Next::FollowUp, &followed);
        check(&[("reasoning", ""), ("function_call", "clock incomplete")], cut, &Next::EndTurn, &["message"]);
        check(&[("function_call", "clock incomplete")], None, &Next::EndTurn, &["message"]);
    }
}
