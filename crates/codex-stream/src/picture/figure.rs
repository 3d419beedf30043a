//! The figure of one attempt: a lane for each class of events, gaps across all of them, the axis below.
//!
//! Places on the axis are in percent and heights in pixels, so that the figure takes any width and its words keep
//! their size. The names of the lanes stand beside it.

use std::fmt::{self, Write};

use super::{
    Attempt, Axis, Ending, EventClass, Gap,
    bins::{self, Bin},
    escape::{Escaped, cut},
    scale::{Scale, percent},
    words,
};

/// Height of a lane of pieces, and of any other, in pixels.
const TALL: u32 = 44;
const FLAT: u32 = 26;
/// Above the lanes, for the lengths of gaps; below them, for the axis.
const HEAD: u32 = 20;
const FOOT: u32 = 22;
/// Most characters of an event's words in a tooltip; the table has them all.
const TITLE: usize = 60;
/// Least height of a bar.
const LEAST: f64 = 4.0;

/// What a lane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Events(EventClass),
    Bytes,
}

impl Lane {
    fn height(self) -> u32 {
        match self {
            Self::Events(class) if class.is_delta() => TALL,
            _ => FLAT,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Events(class) => class.label(),
            Self::Bytes => "bytes",
        }
    }

    fn css(self) -> &'static str {
        match self {
            Self::Events(class) => class.css(),
            Self::Bytes => "bytes",
        }
    }
}

pub(super) fn write(html: &mut String, axis: Axis, attempt: &Attempt, name: &str, figures: usize) -> fmt::Result {
    let scale = Scale::of(axis, attempt);
    let columns = bins::columns(&scale, attempt, figures);
    let lanes = lanes(attempt);
    let height = HEAD + lanes.iter().map(|lane| lane.height()).sum::<u32>();
    html.push_str("<figure class=\"plot\">\n<div class=\"lanes\" aria-hidden=\"true\">\n");
    for lane in &lanes {
        let (height, label) = (lane.height(), lane.label());
        writeln!(html, "<span class=\"h{height}\">{label}</span>")?;
    }
    write!(
        html,
        "</div>\n<svg role=\"img\" width=\"100%\" height=\"{}\" aria-label=\"{name}: {}; the table below has the same \
         data\">\n",
        height + FOOT,
        Escaped(&words::ending(attempt))
    )?;
    write_axis(html, &scale, height)?;
    if attempt.void {
        writeln!(html, "<rect class=\"hatch\" y=\"{HEAD}\" width=\"100%\" height=\"{}\"/>", height - HEAD)?;
    }
    if axis == Axis::Time {
        for gap in attempt.gaps() {
            let alive = if attempt.bytes.is_empty() { String::new() } else { alive(&gap) };
            write_gap(html, &scale, &gap, &alive, height)?;
        }
    }
    let tallest = lanes.iter().filter(|lane| matches!(lane, Lane::Events(class) if class.is_delta()));
    let tallest = tallest.flat_map(|lane| bins_of(attempt, *lane, &scale, columns)).map(|bin| bin.size).max();
    let mut top = HEAD;
    for lane in lanes {
        let bins = bins_of(attempt, lane, &scale, columns);
        let y = top + lane.height();
        writeln!(html, "<g class=\"{}\"><line class=\"base\" x2=\"100%\" y1=\"{y}\" y2=\"{y}\"/>", lane.css())?;
        let most = match lane {
            Lane::Events(_) => tallest,
            Lane::Bytes => bins.iter().map(|bin| bin.size).max(),
        };
        for bin in bins {
            match lane {
                Lane::Events(class) if !class.is_delta() => write_dot(html, &scale, class, attempt, &bin, top)?,
                lane => write_bar(html, &scale, lane, &bin, (columns, most.unwrap_or(1), top))?,
            }
        }
        html.push_str("</g>\n");
        top = y;
    }
    html.push_str("</svg>\n</figure>\n");
    Ok(())
}

/// The lanes that are not empty; that of the end is always there.
fn lanes(attempt: &Attempt) -> Vec<Lane> {
    let used = |class: &EventClass| *class == EventClass::End || attempt.marks.iter().any(|mark| mark.class == *class);
    let mut lanes: Vec<Lane> = EventClass::ALL.into_iter().filter(used).map(Lane::Events).collect();
    lanes.extend((!attempt.bytes.is_empty()).then_some(Lane::Bytes));
    lanes
}

fn bins_of<'a>(attempt: &'a Attempt, lane: Lane, scale: &Scale, columns: usize) -> Vec<Bin<'a>> {
    match lane {
        Lane::Events(class) => bins::of_class(attempt, class, scale, columns),
        Lane::Bytes => bins::of_bytes(attempt, scale, columns),
    }
}

fn write_axis(html: &mut String, scale: &Scale, height: u32) -> fmt::Result {
    html.push_str("<g class=\"axis\">");
    for tick in scale.ticks() {
        let (at, label, y) = (tick.at, &tick.label, height + 15);
        // The outermost labels stay inside.
        let anchor = match at {
            ..4.0 => "start",
            94.0.. => "end",
            _ => "middle",
        };
        write!(
            html,
            "<line x1=\"{at:.2}%\" x2=\"{at:.2}%\" y1=\"{HEAD}\" y2=\"{}\"/>\
             <text x=\"{at:.2}%\" y=\"{y}\" class=\"{anchor}\">{label}</text>",
            height + 4
        )?;
    }
    html.push_str("</g>\n");
    Ok(())
}

/// Whether anything came in a gap, where that is known.
fn alive(gap: &Gap) -> String {
    match gap.chunks {
        0 => ", no byte either".to_owned(),
        chunks => format!(", {}", words::counted(chunks as u64, "chunk of bytes came", "chunks of bytes came")),
    }
}

fn write_gap(html: &mut String, scale: &Scale, gap: &Gap, alive: &str, height: u32) -> fmt::Result {
    let (from, until) = (scale.percent_at(gap.from), scale.percent_at(gap.until));
    let (width, middle, length) = (until - from, f64::midpoint(from, until), words::span(gap.length()));
    let class = if width < 9.0 { "narrow" } else { "wide" };
    writeln!(
        html,
        "<g class=\"gap {class}\"><rect x=\"{from:.2}%\" y=\"{HEAD}\" width=\"{width:.2}%\" height=\"{}\"/>\
         <text x=\"{middle:.2}%\" y=\"13\">{length}</text>\
         <title>no event for {length}: {} to {}{alive}</title></g>",
        height - HEAD,
        words::moment(gap.from),
        words::moment(gap.until)
    )
}

/// A bar as high as its share of characters or bytes. By the root, so that small ones can be seen beside large ones.
fn write_bar(
    html: &mut String,
    scale: &Scale,
    lane: Lane,
    bin: &Bin<'_>,
    (columns, most, top): (usize, u64, u32),
) -> fmt::Result {
    let width = percent(1.0 / columns as f64) - percent(0.0);
    let x = percent(bin.column as f64 / columns as f64);
    let room = f64::from(lane.height() - 6);
    let height = ((bin.size as f64 / most.max(1) as f64).sqrt() * room).clamp(LEAST, room);
    let y = f64::from(top + lane.height()) - height;
    let what = match lane {
        Lane::Bytes => format!("{}, {}", words::counted(bin.count, "chunk", "chunks"), words::bytes(bin.size)),
        Lane::Events(class) => {
            let characters = words::counted(bin.size, "character", "characters");
            let deltas = words::counted(bin.count, "delta", "deltas");
            format!("{deltas} of {}, {characters}", class.label())
        }
    };
    writeln!(
        html,
        "<rect x=\"{x:.2}%\" y=\"{y:.1}\" width=\"{:.2}%\" height=\"{height:.1}\"><title>{}: {what}</title></rect>",
        width * 0.82,
        place(scale, bin)
    )
}

fn write_dot(
    html: &mut String,
    scale: &Scale,
    class: EventClass,
    attempt: &Attempt,
    bin: &Bin<'_>,
    top: u32,
) -> fmt::Result {
    let x = percent(scale.share(bin.at.0, bin.numbers.0));
    let y = top + FLAT / 2;
    // More events in one place make a larger dot, up to the height of the lane.
    let radius = (4.0 + (bin.count as f64).log2()).min(f64::from(FLAT) / 2.0 - 2.0);
    let several = if bin.count > 1 { format!(" and {} more", words::count(bin.count - 1)) } else { String::new() };
    let tone = if class == EventClass::End { words::tone(Some(&attempt.ending)) } else { "event" };
    let label = cut(bin.label, TITLE);
    let label = Escaped(&label);
    writeln!(
        html,
        "<circle class=\"{tone}\" cx=\"{x:.2}%\" cy=\"{y}\" r=\"{radius:.1}\"><title>{}: {label}{several}</title></circle>",
        place(scale, bin)
    )?;
    if class == EventClass::End && attempt.ending != Ending::Unknown {
        let (dx, anchor) = if x > 50.0 { (-12, "end") } else { (12, "start") };
        let (y, words) = (y + 4, words::ending(attempt));
        writeln!(
            html,
            "<text class=\"{tone} {anchor}\" x=\"{x:.2}%\" dx=\"{dx}\" y=\"{y}\">{}</text>",
            Escaped(&words)
        )?;
    }
    Ok(())
}

/// Where something lies, in words.
fn place(scale: &Scale, bin: &Bin<'_>) -> String {
    match (scale.axis(), bin.count) {
        (Axis::Time, 1) => words::moment(bin.at.0),
        (Axis::Time, _) => format!("{:.3}–{}", bin.at.0.as_secs_f64(), words::moment(bin.at.1)),
        (Axis::Order, 1) => format!("event {}", bin.numbers.0),
        (Axis::Order, _) => format!("events {}–{}", bin.numbers.0, bin.numbers.1),
    }
}
