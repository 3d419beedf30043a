//! Whose types each crate may name in public.

use std::collections::BTreeSet;

use super::public_api::Mention;

/// What one crate may name beside the standard library.
pub(super) struct Allowed {
    package: &'static str,
    /// Crates that may be named anywhere.
    crates: &'static [&'static str],
    /// Crates that may be named in the item of this path, or below it, only: modules and types that are adapters.
    adapters: &'static [(&'static str, &'static str)],
}

/// Every published crate has a row; there is no default.
pub(super) const ALLOWED: &[Allowed] = &[
    Allowed {
        package: "sse-codec",
        crates: &["bytes"],
        adapters: &[
            ("sse_codec::EventStream", "futures_core"),
            ("sse_codec::EventStream", PINNED),
            ("sse_codec::EventBody", "futures_core"),
            ("sse_codec::EventBody", "http_body"),
            ("sse_codec::EventBody", PINNED),
            // What the codec encodes and decodes; rustdoc lists its impls with those types, too.
            ("sse_codec::SseCodec", "tokio_util"),
            ("sse_codec::Frame", "tokio_util"),
            ("sse_codec::OwnedEvent", "tokio_util"),
        ],
    },
    Allowed { package: "ws-codec", crates: &["bytes", "http"], adapters: &[("ws_codec::io", "tokio")] },
    Allowed { package: "response-events", crates: &["http", "serde_core", "serde_json"], adapters: &[] },
    Allowed { package: "retry-policy", crates: &[], adapters: &[] },
    Allowed { package: "turn-session", crates: &["http", "response_events", "retry_policy"], adapters: &[] },
    Allowed {
        package: "http-transport",
        crates: &["bytes", "http"],
        adapters: &[("http_transport::Upgraded", "tokio"), ("http_transport::connector", "tokio")],
    },
    Allowed {
        package: "stream-replay",
        // What a client said, as JSON.
        crates: &["bytes", "serde_json"],
        // How the recorder reaches its service.
        adapters: &[("stream_replay::RecorderBuilder", "http_transport")],
    },
    Allowed {
        package: "codex-api",
        // Those of the crates below it are exported again.
        crates: &["bytes", "http", "http_transport", "response_events", "retry_policy", "turn_session"],
        adapters: &[("codex_api::TurnStream", "futures_core")],
    },
    Allowed {
        package: "codex-stream",
        // A user of the facade, which says how a stream ended.
        crates: &["codex_api", "response_events"],
        // A value of an option.
        adapters: &[("codex_stream::OutputFormat", "clap_builder")],
    },
];

/// Bounds that its macro adds to `Unpin`; users never write them.
const PINNED: &str = "pin_project_lite";

/// One line for each place that names what it must not, and for each permission that nothing uses.
pub(super) fn check(table: &[Allowed], package: &str, mentions: &[Mention]) -> BTreeSet<String> {
    let Some(row) = table.iter().find(|row| row.package == package) else {
        return BTreeSet::from([format!("`{package}` has no row in xtask's table of allowed crates")]);
    };
    let mut problems = BTreeSet::new();
    let mut unused: BTreeSet<(&str, &str)> = row.adapters.iter().copied().collect();
    unused.extend(row.crates.iter().map(|name| ("", *name)));
    for mention in mentions {
        let used = if row.crates.contains(&mention.owner.as_str()) {
            Some(("", mention.owner.as_str()))
        } else {
            let is_adapter =
                |(place, owner): &&(&str, &str)| *owner == mention.owner && is_within(&mention.place, place);
            row.adapters.iter().find(is_adapter).copied()
        };
        match used {
            Some(permission) => {
                unused.remove(&permission);
            }
            None => {
                problems.insert(format!("{} names {}", mention.place, mention.path));
            }
        }
    }
    problems.extend(unused.into_iter().map(|(place, owner)| {
        let place = if place.is_empty() { package } else { place };
        format!("{place} is allowed to name `{owner}`, but does not: take it from xtask's table")
    }));
    problems
}

/// Whether `place` is `outer` or an item in it.
fn is_within(place: &str, outer: &str) -> bool {
    place.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Mention, check};

    const TABLE: &[Allowed] = &[Allowed {
        package: "top",
        crates: &["bytes"],
        adapters: &[("top::io", "tokio"), ("top::Upgraded", "tokio")],
    }];

    /// Mentions are pairs of the place and the path of the type. Permissions that nobody uses are left out.
    fn verdict(package: &str, mentions: &[(&str, &str)], expected: &[&str]) {
        let mention = |(place, path): &(&str, &str)| Mention {
            place: (*place).to_owned(),
            owner: path.split("::").next().unwrap_or_default().to_owned(),
            path: (*path).to_owned(),
        };
        let mentions: Vec<_> = mentions.iter().map(mention).collect();
        let problems = check(TABLE, package, &mentions).into_iter().filter(|line| !line.contains("but does not"));
        assert_eq!(problems.collect::<Vec<_>>(), expected, "{mentions:?}");
    }

    #[test]
    fn what_the_row_does_not_allow_is_named_with_its_place() {
        verdict("top", &[("top::Chunk::data", "bytes::bytes::Bytes")], &[]);
        verdict("top", &[("top::send", "hyper::Error")], &["top::send names hyper::Error"]);
        verdict("new", &[], &["`new` has no row in xtask's table of allowed crates"]);
    }

    #[test]
    fn an_adapter_may_name_what_others_may_not() {
        let read = "tokio::io::AsyncRead";
        verdict("top", &[("top::io", read), ("top::io::Socket", read), ("top::Upgraded", read)], &[]);
        verdict("top", &[("top::iodine", read)], &["top::iodine names tokio::io::AsyncRead"]);
        verdict("top", &[("top::Decoder", read)], &["top::Decoder names tokio::io::AsyncRead"]);
    }

    #[test]
    fn a_permission_that_nothing_uses_is_taken_back() {
        let unused = check(TABLE, "top", &[]);
        let unused: Vec<_> = unused.iter().map(String::as_str).collect();
        assert_eq!(
            unused,
            [
                "top is allowed to name `bytes`, but does not: take it from xtask's table",
                "top::Upgraded is allowed to name `tokio`, but does not: take it from xtask's table",
                "top::io is allowed to name `tokio`, but does not: take it from xtask's table",
            ]
        );
    }
}
