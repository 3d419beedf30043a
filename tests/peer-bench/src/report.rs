//! Results as tables that read well on a terminal and in Markdown.

use std::fmt;

use crate::measure::{Against, Cost, Effort, Goal, Scenario, Side};

/// The results of one run.
#[derive(Debug, Default)]
pub struct Report {
    costs: Vec<[String; 5]>,
    goals: Vec<[String; 5]>,
}

impl Report {
    /// Measures a scenario, and adds what its contenders cost.
    pub fn measure(&mut self, scenario: &mut Scenario, effort: Effort) {
        eprintln!("measuring {}", scenario.name());
        let costs = scenario.measure(effort);
        self.add(&scenario.name, &costs, &scenario.goals);
    }

    /// Adds costs that were measured in another way.
    pub(crate) fn add(&mut self, scenario: &str, costs: &[Cost], goals: &[Goal]) {
        let floor = costs.iter().find(|cost| cost.side == Side::Floor).or(costs.first());
        for cost in costs {
            let times = floor.map_or(1.0, |floor| cost.nanos / floor.nanos);
            let name = if cost.side == Side::Ours { format!("**{}**", cost.name) } else { cost.name.to_owned() };
            let spread = format!("{:.0} %", cost.spread * 100.0);
            self.costs.push([scenario.to_owned(), name, number(cost.nanos), format!("{times:.2}"), spread]);
        }
        self.goals.extend(goals.iter().filter_map(|goal| goal_row(scenario, goal, costs)));
    }

    /// Adds a figure that is no ratio of costs; `at_most` is its goal, if it has one.
    pub(crate) fn add_figure(&mut self, scenario: &str, what: String, at_most: Option<f64>, is: f64) {
        let goal = at_most.map(|goal| format!("{goal:.0}")).unwrap_or_default();
        let verdict = at_most.map_or(String::new(), |goal| verdict(is, goal));
        self.goals.push([scenario.to_owned(), what, goal, format!("{is:.0}"), verdict]);
    }
}

fn goal_row(scenario: &str, goal: &Goal, costs: &[Cost]) -> Option<[String; 5]> {
    let subject = costs.iter().find(|cost| cost.name == goal.subject)?;
    let against = match goal.against {
        Against::Named(name) => costs.iter().find(|cost| cost.name == name),
        Against::BestPeer => {
            let peers = costs.iter().filter(|cost| cost.side == Side::Peer);
            peers.min_by(|a, b| a.nanos.total_cmp(&b.nanos))
        }
    }?;
    let ratio = subject.nanos / against.nanos;
    Some([
        scenario.to_owned(),
        format!("{} / {}", subject.name, against.name),
        format!("{:.2}", goal.at_most),
        format!("{ratio:.2}"),
        verdict(ratio, goal.at_most),
    ])
}

fn verdict(is: f64, at_most: f64) -> String {
    if is <= at_most { "reached" } else { "**behind**" }.to_owned()
}

/// Three digits that count.
fn number(nanos: f64) -> String {
    if nanos < 99.95 { format!("{nanos:.1}") } else { format!("{nanos:.0}") }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table(f, ["scenario", "contender", "ns a unit", "x first", "spread"], &self.costs)?;
        writeln!(f)?;
        table(f, ["scenario", "ratio", "at most", "is", ""], &self.goals)
    }
}

fn table(f: &mut fmt::Formatter<'_>, head: [&str; 5], rows: &[[String; 5]]) -> fmt::Result {
    let widths: Vec<usize> = (0..5)
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([head[column].len()]).max().unwrap_or(0)
        })
        .collect();
    let line = |f: &mut fmt::Formatter<'_>, cells: [&str; 5]| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // Numbers stand to the right.
            if (2..4).contains(&column) { format!(" {cell:>width$} |") } else { format!(" {cell:<width$} |") }
        });
        writeln!(f, "|{}", cells.collect::<String>())
    };
    line(f, head)?;
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let right: Vec<String> = widths.iter().map(|width| format!("{}:", "-".repeat(width - 1))).collect();
    line(f, [&rules[0], &rules[1], &right[2], &right[3], &rules[4]])?;
    rows.iter().try_for_each(|row| line(f, [&row[0], &row[1], &row[2], &row[3], &row[4]]))
}
