//! An error in one line.

use std::error::Error;

/// The error with its causes in one line, each behind a colon, for whoever keeps nothing but a line of it. A cause that
/// stands there already is left out: some errors repeat their cause.
pub fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{ErrorKind, Phase};

    #[track_caller]
    fn check(message: &str, cause: impl Error + Send + Sync + 'static, expected: &str) {
        let error = crate::Error::new(ErrorKind::Connect, Phase::Connect, message).with_source(cause);
        assert_eq!(with_causes(&error), expected);
    }

    #[test]
    fn causes_stand_behind_the_error_unless_it_tells_them() {
        check("no luck", io::Error::other("out of paper"), "no luck: out of paper");
        check("no luck: out of paper", io::Error::other("out of paper"), "no luck: out of paper");
        check("out of paper, again", io::Error::other("out of paper"), "out of paper, again");
        let inner = crate::Error::new(ErrorKind::Connect, Phase::Connect, "b").with_source(io::Error::other("c"));
        check("a", inner, "a: b: c");
    }
}
