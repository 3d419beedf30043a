//! The data of a figure as a table.

use std::fmt::{self, Write};

use super::{Attempt, Axis, EventRun, escape::Escaped, words};

/// Rows of all tables of a page, which bounds its size.
const ROWS_OF_PAGE: usize = 500;
/// A longer table is folded.
const UNFOLDED: usize = 16;

pub(super) fn write(html: &mut String, axis: Axis, attempt: &Attempt, name: &str, figures: usize) -> fmt::Result {
    let rows = attempt.runs.len().min(ROWS_OF_PAGE / figures.max(1));
    if rows == 0 {
        html.push_str("<p class=\"remark\">No event came.</p>\n");
        return Ok(());
    }
    let open = if rows <= UNFOLDED { " open" } else { "" };
    let shown = words::counted(rows as u64, "row", "rows");
    let when = if axis == Axis::Time { "<th scope=\"col\" class=\"number\">at</th>" } else { "" };
    write!(
        html,
        "<details{open}>\n<summary>Events as a table ({shown})</summary>\n<div class=\"scroll\" tabindex=\"0\" \
         role=\"region\" aria-label=\"Events of {name}\">\n<table>\n<thead><tr><th scope=\"col\" class=\"number\">event</th>\
         {when}<th scope=\"col\">class</th><th scope=\"col\">item</th><th scope=\"col\" class=\"content\">content</th></tr></thead>\n<tbody>\n"
    )?;
    for run in &attempt.runs[..rows] {
        write_row(html, axis, run)?;
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    let left_out = attempt.events_without_row + attempt.runs[rows..].iter().map(|run| run.count).sum::<u64>();
    if left_out > 0 {
        let left_out = words::counted(left_out, "further event is", "further events are");
        writeln!(html, "<p class=\"remark\">{left_out} in the figure only.</p>")?;
    }
    html.push_str("</details>\n");
    Ok(())
}

fn write_row(html: &mut String, axis: Axis, run: &EventRun) -> fmt::Result {
    let number = match run.count {
        1 => run.first.to_string(),
        count => format!("{}–{}", run.first, run.first + count - 1),
    };
    write!(html, "<tr><td class=\"number\">{number}</td>")?;
    if axis == Axis::Time {
        let at = match run.count {
            1 => words::moment(run.at),
            _ => format!("{:.3}–{}", run.at.as_secs_f64(), words::moment(run.until)),
        };
        write!(html, "<td class=\"number\">{at}</td>")?;
    }
    let size = if run.class.is_delta() {
        let (deltas, chars) =
            (words::counted(run.count, "delta", "deltas"), words::counted(run.chars, "character", "characters"));
        format!(" <span class=\"size\">{deltas}, {chars}</span>")
    } else {
        String::new()
    };
    writeln!(
        html,
        "<td class=\"class\"><span class=\"swatch {}\"></span>{}</td><td>{}</td><td class=\"content\"><bdi>{}</bdi>{size}</td></tr>",
        run.class.css(),
        run.class.label(),
        run.place,
        Escaped(&run.detail)
    )
}
