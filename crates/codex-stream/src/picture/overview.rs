//! All attempts beside each other.

use std::fmt::{self, Write};

use super::{Attempt, Axis, Timeline, escape::Escaped, scale::Scale, words};

/// Most rows; it bounds the page's size.
const ROWS: usize = 100;

pub(super) fn write(html: &mut String, timeline: &Timeline) -> fmt::Result {
    let whole = timeline.attempts.iter().map(|attempt| attempt.ends).max().unwrap_or_default();
    let scale = Scale::time(std::time::Duration::ZERO, whole);
    let timed = timeline.axis == Axis::Time;
    let line = if timed {
        "<th scope=\"col\" class=\"line\">time line</th><th scope=\"col\" class=\"number\">begins</th><th scope=\"col\" class=\"number\">lasts</th>"
    } else {
        ""
    };
    write!(
        html,
        "<section aria-labelledby=\"attempts\">\n<h2 id=\"attempts\">Attempts</h2>\n<div class=\"scroll\" tabindex=\"0\" \
         role=\"region\" aria-labelledby=\"attempts\">\n<table class=\"overview\">\n<thead><tr><th scope=\"col\">attempt</th>{line}\
         <th scope=\"col\" class=\"number\">events</th><th scope=\"col\">end</th></tr></thead>\n<tbody>\n"
    )?;
    let mut before: Option<&Attempt> = None;
    for (index, attempt) in timeline.attempts.iter().take(ROWS).enumerate() {
        let (id, name) = (index + 1, words::name(timeline, attempt));
        let void = if attempt.void { " class=\"void\"" } else { "" };
        write!(html, "<tr{void}><th scope=\"row\"><a href=\"#a{id}\">{name}</a></th>")?;
        if timed {
            write_line(html, &scale, attempt, before)?;
            let (begins, lasts) = (words::moment(attempt.begins), words::span(attempt.duration()));
            write!(html, "<td class=\"number\">{begins}</td><td class=\"number\">{lasts}</td>")?;
        }
        let (tone, ending) = (words::tone(Some(&attempt.ending)), words::ending(attempt));
        writeln!(
            html,
            "<td class=\"number\">{}</td><td class=\"{tone}\"><bdi>{}</bdi></td></tr>",
            words::count(attempt.events()),
            Escaped(&ending)
        )?;
        before = Some(attempt);
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    if timeline.attempts.len() > ROWS {
        let further = words::counted((timeline.attempts.len() - ROWS) as u64, "further attempt", "further attempts");
        writeln!(html, "<p class=\"remark\">{further} not shown.</p>")?;
    }
    html.push_str("</section>\n");
    Ok(())
}

/// The attempt as a bar, after the wait before it as a dashed line.
fn write_line(html: &mut String, scale: &Scale, attempt: &Attempt, before: Option<&Attempt>) -> fmt::Result {
    let (from, until) = (scale.percent_at(attempt.begins), scale.percent_at(attempt.ends));
    html.push_str("<td class=\"line\"><svg role=\"img\" width=\"100%\" height=\"18\" aria-label=\"time line\">");
    if let Some(before) = before {
        let (ended, waited) = (scale.percent_at(before.ends), attempt.begins.saturating_sub(before.ends));
        write!(
            html,
            "<line class=\"wait\" x1=\"{ended:.2}%\" x2=\"{from:.2}%\" y1=\"9\" y2=\"9\">\
             <title>{} between the attempts</title></line>",
            words::span(waited)
        )?;
    }
    let (tone, width) = (words::tone(Some(&attempt.ending)), (until - from).max(0.4));
    let title = format!("{} to {}", words::moment(attempt.begins), words::moment(attempt.ends));
    write!(
        html,
        "<rect class=\"{tone}\" x=\"{from:.2}%\" y=\"3\" width=\"{width:.2}%\" height=\"12\" rx=\"2\"><title>{title}</title></rect>"
    )?;
    if attempt.void {
        write!(html, "<rect class=\"hatch\" x=\"{from:.2}%\" y=\"3\" width=\"{width:.2}%\" height=\"12\"/>")?;
    }
    html.push_str("</svg></td>");
    Ok(())
}
