//! Attack paths as lines of text: a box for what is held, an arrow for each step.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::AttackPath;

/// Narrower than this nothing can be read.
const NARROWEST: usize = 20;
/// Wider boxes are harder to follow than lines that wrap.
const WIDEST: usize = 76;

/// The corners and lines of a box, and the arrow.
struct Set {
    corners: [char; 4],
    flat: char,
    upright: char,
    arrow: char,
}

const PLAIN: Set = Set {
    corners: ['+', '+', '+', '+'],
    flat: '-',
    upright: '|',
    arrow: 'v',
};

const FINE: Set = Set {
    corners: ['┌', '┐', '└', '┘'],
    flat: '─',
    upright: '│',
    arrow: '▼',
};

/// A path from top to bottom, no line wider than `width` columns (at least 20). `ascii`: without box characters.
pub fn drawn(path: &AttackPath, width: u16, ascii: bool) -> Vec<String> {
    let set = if ascii { &PLAIN } else { &FINE };
    let width = usize::from(width).clamp(NARROWEST, WIDEST);
    let mut out = vec![];
    let Some(first) = path.edges.first() else {
        return out;
    };
    put(&mut out, first.from.as_str(), width, set);
    for edge in &path.edges {
        // Two columns in, so that the arrow leaves from under the box.
        for line in wrapped(edge.verb.as_str(), width - 6) {
            out.push(format!("   {}  {line}", set.upright));
        }
        out.push(format!("   {}", set.arrow));
        put(&mut out, edge.to.as_str(), width, set);
    }
    out
}

/// A box around a text, as wide as it has to be.
fn put(out: &mut Vec<String>, text: &str, width: usize, set: &Set) {
    let lines = wrapped(text, width - 4);
    let inner = lines.iter().map(|line| line.width()).max().unwrap_or(0);
    let bar: String = std::iter::repeat_n(set.flat, inner + 2).collect();
    let [top_left, top_right, low_left, low_right] = set.corners;
    out.push(format!("{top_left}{bar}{top_right}"));
    for line in lines {
        let pad = " ".repeat(inner - line.width());
        out.push(format!("{0} {line}{pad} {0}", set.upright));
    }
    out.push(format!("{low_left}{bar}{low_right}"));
}

/// Lines of at most `width` columns, broken at blanks, and in words that are longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let long = word.width();
        if used > 0 && used + 1 + long > width {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            push(&mut lines, ' ');
            used += 1;
        }
        for c in word.chars() {
            let columns = c.width().unwrap_or(0);
            if used + columns > width {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, c);
            used += columns;
        }
    }
    lines
}

fn push(lines: &mut [String], c: char) {
    if let Some(last) = lines.last_mut() {
        last.push(c);
    }
}
