//! What a program shows that ends with an error: `main` prints it by `Debug`.

use std::fmt;

use super::Failure;

/// The message first, and of what may be absent only what is there.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            phase,
            message,
            code,
            api,
            status,
            close_code,
            request_id,
            retry_after,
            attempts,
            retryable,
            gave_up,
            output_delivered,
        } = self;
        let mut shown = f.debug_struct("Failure");
        shown.field("message", message).field("kind", kind).field("phase", phase);
        let mut present = |name, value: Option<&dyn fmt::Debug>| {
            if let Some(value) = value {
                shown.field(name, value);
            }
        };
        present("code", code.as_ref().map(|it| it as _));
        present("status", status.as_ref().map(|it| it as _));
        present("close_code", close_code.as_ref().map(|it| it as _));
        present("request_id", request_id.as_ref().map(|it| it as _));
        present("retry_after", retry_after.as_ref().map(|it| it as _));
        present("gave_up", gave_up.as_ref().map(|it| it as _));
        present("api", api.as_ref().map(|it| it as _));
        shown.field("attempts", attempts).field("retryable", retryable).field("output_delivered", output_delivered);
        shown.finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Failure, FailureKind};

    #[test]
    fn the_message_comes_first_and_nothing_that_is_absent() {
        let mut failure = Failure::new(FailureKind::Status, "HTTP 404 Not Found");
        let rest = "attempts: 1, retryable: false, output_delivered: false }";
        let begin = "Failure { message: \"HTTP 404 Not Found\", kind: Status, phase: Connect,";
        assert_eq!(format!("{failure:?}"), format!("{begin} {rest}"));
        failure.status = Some(404);
        assert_eq!(format!("{failure:?}"), format!("{begin} status: 404, {rest}"));
    }
}
