//! Members of a chunk that have no field here. They are told by their names, with the chunk as it came.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::scan::{Scanned, Scanner};

/// The names of what says nothing of the answer: the wrapping of a chunk, padding, and what stands beside each piece of
/// text and repeats it.
macro_rules! passed_over {
    (chunk) => {
        b"created" | b"system_fingerprint" | b"service_tier" | b"obfuscation" | b"p"
    };
    (delta) => {
        b"role" | b"channel" | b"token_id"
    };
}
pub(super) use passed_over;

/// The names that are listed of one chunk, and the characters of each: a service may make up any number of any length,
/// and the chunk has them all.
const MAX_LISTED: usize = 16;
const MAX_LISTED_NAME: usize = 64;

/// Names as an event lists them.
pub(super) fn listed(names: &BTreeSet<&str>) -> String {
    let shortened = |name: &&str| match name.char_indices().nth(MAX_LISTED_NAME) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => (*name).to_owned(),
    };
    let more = (names.len() > MAX_LISTED).then(|| "…".to_owned());
    names.iter().take(MAX_LISTED).map(shortened).chain(more).collect::<Vec<_>>().join(", ")
}

/// Which object of a chunk a member stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Chunk,
    Groq,
    Choice,
    Delta,
    Call,
    Function,
}

/// A member that has no field here, and says something.
#[derive(Debug, PartialEq)]
pub(super) struct Member<'a> {
    pub(super) level: Level,
    pub(super) choice: u32,
    pub(super) name: Cow<'a, str>,
    /// Stands for its value.
    pub(super) hash: u64,
}

impl Level {
    /// Whether a member has a field, or says nothing of the answer.
    fn knows(self, name: &str) -> bool {
        match (self, name.as_bytes()) {
            (Self::Chunk, passed_over!(chunk)) | (Self::Delta, passed_over!(delta)) => true,
            (level, _) => level.fields().contains(&name),
        }
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Chunk => &["id", "model", "object", "choices", "usage", "error", "type", "x_groq"],
            Self::Groq => &["id", "usage"],
            Self::Choice => &["index", "delta", "message", "finish_reason", "error", "text"],
            Self::Delta => &[
                "content",
                "refusal",
                "reasoning_content",
                "reasoning",
                "reasoning_details",
                "reasoning_encrypted",
                "tool_calls",
                "function_call",
            ],
            Self::Call => &["index", "id", "type", "function", "custom", "extra_content"],
            Self::Function => &["name", "arguments", "input"],
        }
    }

    /// The objects in a member, which have members of their own.
    fn inside(self, name: &str) -> Option<Self> {
        match (self, name) {
            (Self::Chunk, "choices") => Some(Self::Choice),
            (Self::Chunk, "x_groq") => Some(Self::Groq),
            (Self::Choice, "delta" | "message") => Some(Self::Delta),
            (Self::Delta, "tool_calls") => Some(Self::Call),
            (Self::Delta, "function_call") | (Self::Call, "function" | "custom") => Some(Self::Function),
            _ => None,
        }
    }

    /// Whether a member says something of a whole that grows, so that the same again is nothing new (Perplexity's
    /// `citations`, Azure's `content_filter_results`). What stands in a delta, or belongs to one, is a piece.
    pub(super) fn speaks_of_the_whole(self, name: &str) -> bool {
        match self {
            Self::Chunk | Self::Groq => true,
            Self::Choice => !matches!(name, "logprobs" | "token_ids"),
            Self::Delta | Self::Call | Self::Function => false,
        }
    }
}

impl<'a> Member<'a> {
    fn new(level: Level, name: Cow<'a, str>, json: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        Self { level, choice: 0, name, hash: hasher.finish() }
    }

    /// Reads the value of a member that has no field, and notes it if it says something.
    #[inline]
    pub(super) fn scan(
        scanner: &mut Scanner<'a>,
        level: Level,
        name: &'a [u8],
        members: &mut Vec<Self>,
    ) -> Scanned<()> {
        if scanner.is_null() { Some(()) } else { Self::note(scanner, level, name, members) }
    }

    #[inline(never)]
    fn note(scanner: &mut Scanner<'a>, level: Level, name: &'a [u8], members: &mut Vec<Self>) -> Scanned<()> {
        if let Some(json) = scanner.something()? {
            members.push(Self::new(level, std::str::from_utf8(name).ok()?.into(), json));
        }
        Some(())
    }

    /// Says which choice the members of a choice belong to.
    pub(super) fn assign(members: &mut [Self], choice: Option<u32>) {
        for member in members {
            member.choice = choice.unwrap_or_default();
        }
    }

    /// The members of a chunk for which the general reader has no field.
    #[cold]
    pub(super) fn of_chunk(data: &[u8]) -> Vec<Self> {
        let mut members = Vec::new();
        collect(&String::from_utf8_lossy(data), Level::Chunk, &mut members);
        members
    }
}

/// The members of an object, or of each in a list. What a list in a list has is no member: it may be nested as deeply
/// as a payload is long.
fn collect(json: &str, level: Level, members: &mut Vec<Member<'_>>) {
    if json.starts_with('[') {
        for element in serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default() {
            collect_object(element.get(), level, members);
        }
    } else {
        collect_object(json, level, members);
    }
}

fn collect_object(json: &str, level: Level, members: &mut Vec<Member<'_>>) {
    let Ok(Pairs(pairs)) = serde_json::from_str(json) else { return };
    let from = members.len();
    let mut index = None;
    let has_delta = pairs.iter().any(|(name, value)| name == "delta" && value.get().starts_with('{'));
    for (name, value) in pairs {
        let json = value.get();
        if let Some(inside) = level.inside(&name) {
            // Beside a delta a message is not read at all.
            if !(has_delta && name == "message") {
                collect(json, inside, members);
            }
        } else if !level.knows(&name) {
            // What is nested deeper than the scanner goes is something.
            if Scanner::new(json).something() != Some(None) {
                members.push(Member::new(level, name.into(), json));
            }
        } else if name == "index" {
            index = serde_json::from_str(json).ok();
        }
    }
    if level == Level::Choice {
        Member::assign(&mut members[from..], index);
    }
}

/// The members of an object.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor)
    }
}
