//! Reads the chunks that nearly all are, without the general reader.

use serde_json::Value;

use super::{
    chunk::{Arguments, Choice, Chunk, Content, Delta, Function, ToolCall},
    members::{Level, Member, passed_over},
};
use crate::{
    json::{Number, Text, parse},
    scan::{Scanned, Scanner, fill},
    text::as_text,
};

impl<'a> Chunk<'a> {
    /// Reads a chunk; the error says what is wrong with its JSON.
    pub(super) fn read(data: &'a [u8]) -> Result<Self, String> {
        match as_text(data).and_then(Self::scan) {
            Some(chunk) => Ok(chunk),
            None => Self::parse(data),
        }
    }

    /// The same by the general reader.
    fn parse(data: &'a [u8]) -> Result<Self, String> {
        let chunk: Self = parse(data)?;
        Ok(Self { members: Member::of_chunk(data), ..chunk })
    }

    /// Reads a chunk whose fields have their usual types. One that carries an error is not usual.
    fn scan(text: &'a str) -> Scanned<Self> {
        let (mut id, mut model, mut object, mut choices, mut usage) = (None, None, None, None, None);
        let mut members = Vec::new();
        let mut scanner = Scanner::new(text);
        scanner.object(|scanner, key| match key {
            b"id" => fill(&mut id, scanner.string_or_null()?),
            b"model" => fill(&mut model, scanner.string_or_null()?),
            b"object" => fill(&mut object, scanner.string_or_null()?),
            b"choices" => fill(&mut choices, list(scanner, |scanner| choice(scanner, &mut members))?),
            b"usage" => fill(&mut usage, scanner.value_or_null()?),
            b"error" | b"x_groq" | b"type" => None,
            passed_over!(chunk) => scanner.skip(),
            _ => Member::scan(scanner, Level::Chunk, key, &mut members),
        })?;
        scanner.finish()?;
        Some(Self {
            id: Text(id.flatten()),
            model: Text(model.flatten()),
            object: Text(object.flatten()),
            choices,
            usage: usage.flatten(),
            members,
            ..Self::default()
        })
    }
}

fn choice<'a>(scanner: &mut Scanner<'a>, members: &mut Vec<Member<'a>>) -> Scanned<Choice<'a>> {
    let (from, mut of_message) = (members.len(), 0..0);
    let (mut index, mut delta, mut message, mut finish_reason, mut text) = (None, None, None, None, None);
    scanner.object(|scanner, key| match key {
        b"index" => fill(&mut index, scanner.number()?),
        b"delta" => fill(&mut delta, self::delta(scanner, members)?),
        b"finish_reason" => fill(&mut finish_reason, scanner.string_or_null()?),
        b"message" => {
            let begin = members.len();
            let read = self::delta(scanner, members)?;
            of_message = begin..members.len();
            fill(&mut message, Box::new(read))
        }
        b"text" => fill(&mut text, scanner.string_or_null()?),
        b"error" => None,
        _ => Member::scan(scanner, Level::Choice, key, members),
    })?;
    if delta.is_some() {
        // Beside a delta a message is not read at all.
        members.drain(of_message);
    }
    Member::assign(&mut members[from..], Number(index).index());
    let (finish_reason, text) = (Text(finish_reason.flatten()), Text(text.flatten()));
    Some(Choice { index: Number(index), delta, message, finish_reason, text, error: None })
}

fn delta<'a>(scanner: &mut Scanner<'a>, members: &mut Vec<Member<'a>>) -> Scanned<Delta<'a>> {
    let (mut content, mut refusal, mut reasoning_content, mut reasoning) = (None, None, None, None);
    let (mut reasoning_details, mut reasoning_encrypted, mut tool_calls) = (None, None, None);
    scanner.object(|scanner, key| match key {
        b"content" => fill(&mut content, self::content(scanner)?),
        b"refusal" => fill(&mut refusal, self::content(scanner)?),
        b"reasoning_content" => fill(&mut reasoning_content, self::content(scanner)?),
        b"reasoning" => fill(&mut reasoning, self::content(scanner)?),
        b"reasoning_details" => fill(&mut reasoning_details, scanner.value_or_null()?),
        b"tool_calls" => fill(&mut tool_calls, list(scanner, |scanner| tool_call(scanner, members))?),
        b"reasoning_encrypted" => fill(&mut reasoning_encrypted, scanner.value_or_null()?),
        b"function_call" | b"extra_content" => None,
        passed_over!(delta) => scanner.skip(),
        _ => Member::scan(scanner, Level::Delta, key, members),
    })?;
    Some(Delta {
        content: content.unwrap_or_default(),
        refusal: refusal.unwrap_or_default(),
        reasoning_content: reasoning_content.unwrap_or_default(),
        reasoning: reasoning.unwrap_or_default(),
        reasoning_details: reasoning_details.flatten(),
        reasoning_encrypted: reasoning_encrypted.flatten(),
        extra_content: None,
        tool_calls: tool_calls.unwrap_or_default(),
        function_call: None,
    })
}

fn tool_call<'a>(scanner: &mut Scanner<'a>, members: &mut Vec<Member<'a>>) -> Scanned<ToolCall<'a>> {
    let (mut index, mut id, mut call_type, mut function, mut extra_content) = (None, None, None, None, None);
    scanner.object(|scanner, key| match key {
        b"index" => fill(&mut index, scanner.number()?),
        b"id" => fill(&mut id, scanner.string_or_null()?),
        b"type" => fill(&mut call_type, scanner.string_or_null()?),
        b"function" => fill(&mut function, self::function(scanner, members)?),
        b"extra_content" => fill(&mut extra_content, scanner.value_or_null()?),
        b"custom" => None,
        _ => Member::scan(scanner, Level::Call, key, members),
    })?;
    let (id, call_type) = (Text(id.flatten()), Text(call_type.flatten()));
    let extra_content = extra_content.flatten();
    Some(ToolCall { index: Number(index), id, call_type, function, custom: None, extra_content })
}

fn function<'a>(scanner: &mut Scanner<'a>, members: &mut Vec<Member<'a>>) -> Scanned<Function<'a>> {
    let (mut name, mut arguments) = (None, None);
    scanner.object(|scanner, key| match key {
        b"name" => fill(&mut name, scanner.string_or_null()?),
        b"arguments" => fill(&mut arguments, scanner.string_or_null()?),
        _ => Member::scan(scanner, Level::Function, key, members),
    })?;
    Some(Function { name: Text(name.flatten()), arguments: Arguments(arguments.flatten().unwrap_or_default()) })
}

/// Text, or parts; nothing else.
fn content<'a>(scanner: &mut Scanner<'a>) -> Scanned<Content<'a>> {
    if scanner.is_string() {
        return scanner.string().map(Content::Text);
    }
    match scanner.value_or_null()? {
        None => Some(Content::None),
        Some(Value::Array(parts)) => Some(Content::Parts(parts)),
        Some(part @ Value::Object(_)) => Some(Content::Parts(vec![part])),
        Some(_) => None,
    }
}

/// Nearly every list has one element; `null` is an empty one.
fn list<'a, T>(scanner: &mut Scanner<'a>, mut element: impl FnMut(&mut Scanner<'a>) -> Scanned<T>) -> Scanned<Vec<T>> {
    let mut list = Vec::new();
    if scanner.is_null() {
        return Some(list);
    }
    scanner.list(|scanner| {
        if list.is_empty() {
            list.reserve_exact(1);
        }
        list.push(element(scanner)?);
        Some(())
    })?;
    Some(list)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::scan::tests::{edit, value};

    #[track_caller]
    fn check(text: &str) {
        if let Some(scanned) = Chunk::scan(text) {
            assert_eq!(Ok(scanned), Chunk::parse(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn usual_chunks_are_read_without_the_general_reader() {
        for text in [
            r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":" a\n"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#"{"choices": [{"delta": {"reasoning_content": "r", "content": null}, "finish_reason": "stop"}], "usage": {"total_tokens": 3}}"#,
            r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"i","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]}}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":1}}"#,
            r#"{"choices":[{"message":{"content":[{"type":"text","text":"a"}]},"delta":{"content":{"text":"b"}}}]}"#,
            r#"{"choices":[{"a":1,"message":{"b":2},"c":3}]}"#,
            r#"{"choices":[{"a":1,"message":{"b":2},"c":3,"delta":{"d":4},"e":5}]}"#,
        ] {
            assert!(Chunk::scan(text).is_some(), "{text}");
            check(text);
        }
    }

    /// An object with fields of the given names, each with a value that fits or any other.
    fn object(
        fields: &'static [&'static str],
        fitting: impl Strategy<Value = String> + 'static,
    ) -> impl Strategy<Value = String> {
        let value = prop_oneof![4 => fitting.boxed(), 1 => value().boxed()];
        vec((select(fields), value), 0..5).prop_map(|fields| {
            let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        })
    }

    fn list(element: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        vec(element, 0..3).prop_map(|list| format!("[{}]", list.join(",")))
    }

    fn chunk() -> impl Strategy<Value = String> {
        let text =
            || select(&["\"t\"", "\"\"", "null", "\"\\u00e4\"", r#"[{"text":"p"}]"#][..]).prop_map(str::to_owned);
        let function = object(&["name", "arguments", "input", "extra"], text());
        let call = object(
            &["index", "id", "function", "type", "custom", "extra", "extra_content"],
            prop_oneof![text(), function],
        );
        let delta = object(
            &[
                "content",
                "refusal",
                "reasoning_content",
                "reasoning",
                "reasoning_details",
                "reasoning_encrypted",
                "extra_content",
                "tool_calls",
                "function_call",
                "role",
                "extra",
            ],
            prop_oneof![text(), list(call)],
        );
        let choice = object(
            &["index", "delta", "delta", "message", "finish_reason", "error", "logprobs", "text"],
            prop_oneof![2 => delta.boxed(), 1 => text().boxed(), 1 => Just("0".to_owned()).boxed()],
        );
        object(
            &["id", "model", "choices", "choices", "choices", "usage", "error", "x_groq", "type", "object", "extra"],
            prop_oneof![3 => list(choice).boxed(), 1 => text().boxed()],
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_scanned_means_the_same_to_the_general_reader(text in chunk(), edit in edit()) {
            check(&text);
            check(&edit.apply(&text));
        }
    }
}
