//! Two texts, line by line.

/// Lines that are shown around a difference.
const CONTEXT: usize = 2;

/// The lines that differ: `- ` before those that go, `+ ` before those that come, with a few around them.
pub(super) fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let marked = marked(&old, &new);
    let is_near = |at: usize| {
        let from = at.saturating_sub(CONTEXT);
        marked[from..marked.len().min(at + CONTEXT + 1)].iter().any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut skipped = false;
    for (at, (mark, line)) in marked.iter().enumerate() {
        if is_near(at) {
            text.push_str(format!("  {mark} {line}").trim_end());
            text.push('\n');
        } else if !skipped {
            text.push_str("    …\n");
        }
        skipped = !is_near(at);
    }
    text
}

/// All lines of both, those that they share once, by the longest common subsequence. Snapshots are short.
fn marked<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    let width = new.len() + 1;
    // How many lines the rests have in common.
    let mut common = vec![0_usize; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1] {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::lines;

    fn check(old: &str, new: &str, expected: &str) {
        assert_eq!(lines(old, new), expected, "{old:?} {new:?}");
    }

    #[test]
    fn lines_that_go_and_come_are_marked() {
        check("a\nb\nc", "a\nx\nc", "    a\n  - b\n  + x\n    c\n");
        check("", "a\nb", "  + a\n  + b\n");
        check("a", "", "  - a\n");
        check("1\n2\n3\n4\n5", "1\n2\n3\n4\n5\n6", "    …\n    4\n    5\n  + 6\n");
        check("1\n2\n3\n4\n5\n6\n7", "0\n1\n2\n3\n4\n5\n6", "  + 0\n    1\n    2\n    …\n    5\n    6\n  - 7\n");
    }
}
