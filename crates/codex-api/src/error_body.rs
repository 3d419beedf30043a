//! The error object in the body of a refusal, in whatever clothes it comes.

use bytes::Bytes;
use response_events::ApiError;
use sse_codec::{Decoder, Limits, Overflow};

use crate::document::DocumentEnd;

/// Most bytes of an error object in an event: as much as is read of a refusal's body.
const MAX_EVENT_BYTES: usize = 64 * 1024;

/// Reads the service's error out of the whole body of an HTTP answer: a JSON document, with or without a byte order
/// mark, or events of a stream, of which the first with an error object counts, although its end may be missing. `None`
/// if there is no error object.
pub fn error_in_body(body: &[u8]) -> Option<ApiError> {
    match ErrorBody::error_in(body) {
        Some(data) => ApiError::from_body(&data),
        None => ApiError::from_body(body),
    }
}

/// Looks for the end of what a body has to say: a document that is whole, or an event with an error object.
pub(crate) struct ErrorBody {
    /// Of a body that is a document.
    document: DocumentEnd,
    /// Of a body that is none.
    events: Decoder,
    /// Of the data of the event at hand, which need not be waited behind for a blank line.
    data: DocumentEnd,
    /// The data of the event with an error object.
    error: Option<Vec<u8>>,
}

impl ErrorBody {
    pub(crate) fn new() -> Self {
        let limits = Limits::new().on_overflow(Overflow::SkipEvent).max_event_bytes(MAX_EVENT_BYTES);
        Self {
            document: DocumentEnd::default(),
            events: Decoder::with_limits(limits),
            data: DocumentEnd::anywhere(),
            error: None,
        }
    }

    /// The body as far as it matters: its error object, if there is one and something else around it.
    pub(crate) fn undressed(body: Bytes) -> Bytes {
        Self::error_in(&body).map_or(body, Bytes::from)
    }

    fn error_in(body: &[u8]) -> Option<Vec<u8>> {
        let mut seen = Self::new();
        if let Some(end) = DocumentEnd::default().feed(body) {
            let (document, rest) = body.split_at(end);
            let is_dressed = !rest.trim_ascii().is_empty() && ApiError::from_body(document).is_some();
            return is_dressed.then(|| document.to_vec());
        }
        // The last event counts although it was not dispatched.
        if !seen.feed(body) && !seen.document.has_begun() {
            seen.take(b"\n\n");
        }
        seen.error
    }

    /// Looks at the next bytes: whether nothing of interest follows.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) -> bool {
        if self.document.feed(piece).is_some() {
            return true;
        }
        if self.document.has_begun() {
            return false;
        }
        while let Some(end) = self.data.feed(piece) {
            let (document, rest) = piece.split_at(end);
            self.data = DocumentEnd::anywhere();
            // The document may be an event's data: looked at as if that ended here.
            if self.take(document) || self.take(b"\n\n") {
                return true;
            }
            piece = rest;
        }
        self.take(piece)
    }

    /// Whether the bytes end an event with an error object.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        // What is too large is skipped, so that this has nothing to fail with.
        while let Ok(decoded) = self.events.decode(bytes) {
            let Some(event) = decoded.event else { break };
            if ApiError::from_body(event.data()).is_some() {
                self.error = Some(event.data().to_vec());
                return true;
            }
            self.data = DocumentEnd::anywhere();
            bytes = &bytes[decoded.consumed..];
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERROR: &str = r#"{"error":{"code":"c","message":"M"}}"#;

    /// How much of a body is read before it is enough, in any split, and what is then found.
    #[track_caller]
    fn check(body: &str, enough: Option<usize>) {
        let mut bytewise = ErrorBody::new();
        let end = body.bytes().position(|byte| bytewise.feed(&[byte])).map(|at| at + 1);
        assert_eq!(end, enough, "{body}");
        assert_eq!(ErrorBody::new().feed(body.as_bytes()), enough.is_some(), "{body}");
        let found = error_in_body(body.as_bytes()).map(|error| (error.code, error.message));
        assert_eq!(found, Some((Some("c".to_owned()), "M".to_owned())), "{body}");
        let read = Bytes::copy_from_slice(&body.as_bytes()[..enough.unwrap_or(body.len())]);
        assert!(ApiError::from_body(&ErrorBody::undressed(read)).is_some(), "{body}");
    }

    #[test]
    fn a_body_is_enough_when_its_error_object_is_whole() {
        for clothes in ["", " \n", "\u{feff}", "data:", "\u{feff}data: ", "event: error\nid: {\ndata: x\n\ndata: "] {
            check(&format!("{clothes}{ERROR} \n\nand more"), Some(clothes.len() + ERROR.len()));
        }
        let other = "data: {}\n\ndata: [DONE]\n\n: {}\ndata: ";
        check(&format!("{other}{ERROR}\n\n{other}{ERROR}"), Some(other.len() + ERROR.len()));
    }

    #[test]
    fn an_event_whose_end_cannot_be_seen_counts_when_it_or_the_body_is_over() {
        // The bracket in the comment hides the end of what follows.
        let body = format!(": [\ndata: {ERROR}\n\n");
        check(&body, Some(body.len()));
        check(&format!(": [\ndata: {ERROR}"), None);
    }

    #[test]
    fn what_is_no_error_is_left_as_it_is() {
        for body in ["", "No.", "data: x\n\n", "data: {\"a\":1}\n\n", "<html>{}", "[info] {", "{\"a\"", "{\"a\":1}"] {
            assert_eq!(ErrorBody::undressed(Bytes::from(body)), body);
            assert!(error_in_body(body.as_bytes()).is_none(), "{body}");
        }
    }
}
