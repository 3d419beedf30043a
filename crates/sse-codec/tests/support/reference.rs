//! The standard's algorithm (WHATWG HTML 9.2.5 and 9.2.6) over the whole input: slow, plain, and written apart from
//! the crate.

use super::Outcome;

pub(crate) fn decode(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input).into_owned();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut state = State::default();
    while let Some(end) = rest.find(['\n', '\r']) {
        state.line(&rest[..end]);
        let width = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + width..];
    }
    state.outcome.comments += u64::from(rest.starts_with(':'));
    // Bytes that may still become a byte order mark are an unfinished line, although they decode to one replacement.
    let half_mark = matches!(input, [0xEF] | [0xEF, 0xBB]);
    let pending = !state.data.is_empty() || !state.event.is_empty() || state.id_seen;
    state.outcome.cut = pending || !rest.is_empty() || half_mark;
    state.outcome
}

#[derive(Default)]
struct State {
    data: String,
    event: String,
    id: String,
    id_seen: bool,
    outcome: Outcome,
}

impl State {
    fn line(&mut self, line: &str) {
        if line.is_empty() {
            return self.dispatch();
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" => self.outcome.comments += 1,
            "data" => {
                self.data += value;
                self.data.push('\n');
            }
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => {
                value.clone_into(&mut self.id);
                self.id_seen = true;
            }
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.outcome.retry = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        self.id_seen = false;
        self.outcome.last_event_id.clone_from(&self.id);
        let event = std::mem::take(&mut self.event);
        let mut data = std::mem::take(&mut self.data);
        if data.is_empty() {
            return;
        }
        data.pop();
        let event = if event.is_empty() { "message".to_owned() } else { event };
        self.outcome.events.push((event, data, self.id.clone()));
    }
}
