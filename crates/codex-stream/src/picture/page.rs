//! The page around the figures.

use std::fmt::{self, Write};

use super::{Attempt, Axis, EventClass, Timeline, escape::Escaped, figure, overview, table, words};

/// Attempts with a figure of their own; the others have their row in the overview. It bounds the page's size.
const FIGURES: usize = 16;

const STYLE: &str = include_str!("style.css");

/// Draws a timeline as a page that needs nothing else: no script, no font, no picture, no network.
///
/// `source` says what is shown, such as the name of a file. The size is bounded, whatever passed: pieces that lie
/// close together become columns, and long tables end with a count.
pub fn html_page(timeline: &Timeline, source: &str) -> String {
    let mut html = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut html, timeline, source);
    html
}

fn write_page(html: &mut String, timeline: &Timeline, source: &str) -> fmt::Result {
    let headline = words::headline(timeline);
    let headline = Escaped(&headline);
    let tone = words::tone(timeline.attempts.last().map(|attempt| &attempt.ending));
    write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{headline}</title>\n<style>\n{STYLE}</style>\n</head>\n"
    )?;
    write!(
        html,
        "<body>\n{HATCH}<main>\n<header>\n<p class=\"source\">A streamed turn · <bdi>{}</bdi></p>\n\
         <h1 class=\"{tone}\"><span class=\"dot\" aria-hidden=\"true\"></span><bdi>{headline}</bdi></h1>\n",
        Escaped(source)
    )?;
    write_tiles(html, timeline)?;
    if timeline.axis == Axis::Order && !timeline.attempts.is_empty() {
        html.push_str(
            "<p class=\"remark\">This recording has no clock: the axis counts events, and says nothing of time.</p>\n",
        );
    }
    html.push_str("</header>\n");
    if timeline.attempts.len() > 1 {
        overview::write(html, timeline)?;
    }
    let figures = timeline.attempts.len().min(FIGURES);
    for (index, attempt) in timeline.attempts.iter().take(FIGURES).enumerate() {
        write_attempt(html, timeline, attempt, index, figures)?;
    }
    if timeline.attempts.len() > figures {
        let further = (timeline.attempts.len() - figures) as u64;
        let further = words::counted(further, "further attempt has", "further attempts have");
        writeln!(html, "<p class=\"remark\">{further} no figure here.</p>")?;
    }
    html.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

/// The patterns of what is void: over a bar, and behind a figure.
const HATCH: &str = "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\
    <pattern id=\"bar\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <line y2=\"7\" class=\"bar-line\"/></pattern>\
    <pattern id=\"ground\" width=\"9\" height=\"9\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <line y2=\"9\" class=\"ground-line\"/></pattern></defs></svg>\n";

fn write_tiles(html: &mut String, timeline: &Timeline) -> fmt::Result {
    let totals = timeline.totals();
    let timed = |time| words::if_timed(timeline.axis, time).unwrap_or_else(|| "–".to_owned());
    let tokens = match (totals.input_tokens, totals.output_tokens) {
        (None, None) => "–".to_owned(),
        (input, output) => {
            let side = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), words::count);
            format!("{} in, {} out", side(input), side(output))
        }
    };
    html.push_str("<dl class=\"tiles\">\n");
    for (name, value) in [
        ("first token", timed(totals.first_token)),
        ("longest gap", timed(totals.longest_gap)),
        ("events", words::count(totals.events)),
        ("deltas", words::count(totals.deltas)),
        ("bytes", words::bytes(totals.bytes)),
        ("tokens", tokens),
    ] {
        writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
    }
    html.push_str("</dl>\n");
    Ok(())
}

fn write_attempt(
    html: &mut String,
    timeline: &Timeline,
    attempt: &Attempt,
    index: usize,
    figures: usize,
) -> fmt::Result {
    let name = words::name(timeline, attempt);
    let void = if attempt.void { " void" } else { "" };
    let id = index + 1;
    write!(
        html,
        "<section class=\"attempt{void}\" id=\"a{id}\" aria-labelledby=\"h{id}\">\n<h2 id=\"h{id}\">{name}: \
         <span class=\"{}\"><bdi>{}</bdi></span></h2>\n<p class=\"facts\">",
        words::tone(Some(&attempt.ending)),
        Escaped(&words::ending(attempt))
    )?;
    let facts = facts(timeline, attempt);
    for (index, fact) in facts.iter().enumerate() {
        let between = if index > 0 { " · " } else { "" };
        write!(html, "{between}<bdi>{}</bdi>", Escaped(fact))?;
    }
    html.push_str("</p>\n");
    figure::write(html, timeline.axis, attempt, &name, figures)?;
    write_legend(html, timeline.axis, attempt)?;
    table::write(html, timeline.axis, attempt, &name, figures)?;
    html.push_str("</section>\n");
    Ok(())
}

fn facts(timeline: &Timeline, attempt: &Attempt) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(attempt.model.clone());
    facts.extend(attempt.head.transport.map(|transport| transport.as_str().to_owned()));
    facts.extend(attempt.head.status.map(|status| format!("status {status}")));
    facts.extend(attempt.head.request_id.as_ref().map(|id| format!("request id {id}")));
    facts.push(words::counted(attempt.events(), "event", "events"));
    facts.push(words::bytes(attempt.total_bytes));
    facts.extend(words::if_timed(timeline.axis, attempt.first_token()).map(|time| format!("first token after {time}")));
    facts.extend(words::if_timed(timeline.axis, Some(attempt.duration())).map(|time| format!("lasted {time}")));
    facts.extend(attempt.wait.map(|wait| format!("then waited {}", words::span(wait))));
    facts
}

fn write_legend(html: &mut String, axis: Axis, attempt: &Attempt) -> fmt::Result {
    html.push_str("<ul class=\"legend\" aria-label=\"Legend\">\n");
    for class in EventClass::ALL {
        let count = attempt.marks.iter().filter(|mark| mark.class == class).count() as u64;
        if count > 0 && class != EventClass::End {
            let (css, label, count) = (class.css(), class.label(), words::count(count));
            writeln!(html, "<li><span class=\"swatch {css}\"></span>{label} {count}</li>")?;
        }
    }
    if axis == Axis::Time && !attempt.gaps().is_empty() {
        html.push_str("<li><span class=\"swatch gap\"></span>no event</li>\n");
    }
    if attempt.void {
        html.push_str("<li><span class=\"swatch hatched\"></span>void: another attempt followed</li>\n");
    }
    if attempt.marks.iter().any(|mark| mark.class.is_delta()) {
        html.push_str("<li class=\"how\">a taller bar holds more characters</li>\n");
    }
    html.push_str("</ul>\n");
    Ok(())
}
