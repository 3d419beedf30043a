//! The reader of fault scripts.

use stream_replay::{FaultScript, ScriptError};

/// A script is read, or an error names a place in it. Line ends, blanks and comments do not matter.
pub fn fault_script(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // A script may name any file, and ask for as many bytes as it likes.
    if text.contains("send-file") || text.contains("certificate") || repeats_much(&text) {
        return;
    }
    let read = FaultScript::parse(&text);
    check_place(&text, &read);
    let place = |read: &Result<FaultScript, ScriptError>| read.as_ref().err().map(ToString::to_string);
    if !text.contains('\r') {
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(place(&FaultScript::parse(&crlf)), place(&read), "with CRLF");
    }
    let commented = format!("{}\n# the end\n\n", text.trim_end_matches(['\r', '\n']));
    assert_eq!(FaultScript::parse(&commented).is_ok(), read.is_ok(), "with a comment behind it");
}

/// Whether a text is repeated a thousand times or more.
fn repeats_much(text: &str) -> bool {
    text.split('*').skip(1).any(|behind| {
        let number = behind.trim_start().trim_start_matches('0');
        number.bytes().take_while(u8::is_ascii_digit).count() > 3
    })
}

fn check_place(text: &str, read: &Result<FaultScript, ScriptError>) {
    let (line, column) = match read {
        Ok(_) => return,
        Err(ScriptError::Syntax { line, column, message }) => {
            assert!(!message.is_empty());
            (*line, *column)
        }
        Err(other) => panic!("{other}, of a script that names no file"),
    };
    let found = text.lines().nth(line - 1).or((line == 1).then_some(""));
    let found = found.unwrap_or_else(|| panic!("there is no line {line}"));
    assert!((1..=found.chars().count() + 1).contains(&column), "column {column} of {found:?}");
}
