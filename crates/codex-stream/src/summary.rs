//! The sum of one stream as one JSON object: counts, digests of the texts, and how it ended.

mod chat;
mod digest;
mod responses;

use response_events::{Failure, Summary, Wire};
use serde::Serialize;

use chat::ChatSummary;
use responses::ResponsesSummary;

/// The JSON object for a stream, on one line and without a line end; the keys stand in reading order.
///
/// Texts appear as `…_sha256` (of their UTF-8, in hex) and `…_bytes`. The keys depend on the wire. Where deltas were
/// beyond the limit of the sum, `left_out_bytes` says how many bytes of them no digest covers.
pub fn summary_json(summary: &Summary) -> String {
    let json = match summary.wire {
        Wire::Chat => serde_json::to_string(&ChatSummary::of(summary)),
        _ => serde_json::to_string(&ResponsesSummary::of(summary)),
    };
    // Plain strings and numbers always have a JSON form.
    json.unwrap_or_default()
}

/// The error that the service reported.
#[derive(Serialize)]
struct ServiceError<'a> {
    code: Option<&'a str>,
    message: &'a str,
    r#type: Option<&'a str>,
    param: Option<&'a str>,
}

impl<'a> ServiceError<'a> {
    fn of(summary: &'a Summary) -> Option<Self> {
        let of_failure = summary.failure.as_ref().and_then(|failure| failure.api.as_ref());
        of_failure.or(summary.ledger.error.as_ref()).map(|error| Self {
            code: error.code.as_deref(),
            message: &error.message,
            r#type: error.error_type.as_deref(),
            param: error.param.as_deref(),
        })
    }
}

/// What ended the stream, where that is not the service's own report.
#[derive(Serialize)]
struct OwnFailure<'a> {
    kind: &'static str,
    message: &'a str,
}

impl<'a> OwnFailure<'a> {
    fn of(failure: Option<&'a Failure>) -> Option<Self> {
        let failure = failure.filter(|failure| failure.api.is_none())?;
        Some(Self { kind: failure.kind.as_str(), message: &failure.message })
    }
}

#[cfg(test)]
mod tests {
    use response_events::{Delta, Ledger, SummaryBuilder, TurnEvent, Wire};

    use super::summary_json;

    #[test]
    fn bytes_that_no_digest_covers_are_told_where_there_are_any() {
        for wire in [Wire::Responses, Wire::Chat] {
            for (max_delta_bytes, told) in [(4, None), (3, Some(r#""left_out_bytes":4"#))] {
                let mut builder = SummaryBuilder::new().max_delta_bytes(max_delta_bytes);
                builder.observe(&TurnEvent::TextDelta(Delta::new(0, "text")));
                let json = summary_json(&builder.finish(wire, &Ledger::default(), None));
                assert_eq!(told.is_some(), json.contains("left_out_bytes"), "{json}");
                assert!(json.contains(told.unwrap_or_default()), "{json}");
            }
        }
    }
}
