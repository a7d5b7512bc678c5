//! Text to a width: cut, wrapped, and ages and times in few columns.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::model::Timestamp;

/// Cuts to `width` columns, with `..` where something is missing.
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if width <= 2 {
        return head(text, width).to_owned();
    }
    format!("{}..", head(text, width - 2))
}

/// Cuts in the middle, so that both ends of a name or path stay.
pub fn middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if width < 8 {
        return fit(text, width);
    }
    let front = (width - 2) / 3;
    format!("{}..{}", head(text, front), tail(text, width - 2 - front))
}

/// The longest start of at most `width` columns.
pub fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[..at];
        }
    }
    text
}

fn tail(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[at + c.len_utf8()..];
        }
    }
    text
}

/// Breaks at blanks so that no line has more than `width` columns; longer words are broken where they must.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut out = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                out.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            while line.width() > width {
                let cut = head(&line, width).len();
                if cut == 0 {
                    break;
                }
                let rest = line.split_off(cut);
                out.push(std::mem::replace(&mut line, rest));
            }
        }
        out.push(line);
    }
    out
}

/// An age in at most four columns: `3s`, `12m`, `5h`, `41d`.
pub fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 if (seconds % 3600) / 60 > 0 && seconds < 36_000 => {
            format!("{}h{:02}", seconds / 3600, (seconds % 3600) / 60)
        }
        3600..86_400 => format!("{}h", seconds / 3600),
        86_400..86_400_000 => format!("{}d", seconds / 86_400),
        _ => "old".to_owned(),
    }
}

/// `14:02:07`, UTC.
pub fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// `14:02:07.120`, UTC.
pub fn precise_clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S%.3f").to_string()
}

/// `1 node`, `2 nodes`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_count_columns() {
        assert_eq!(fit("kube-apiserver", 8), "kube-a..");
        assert_eq!(fit("\u{8868}\u{8868}\u{8868}", 5), "\u{8868}..");
        assert_eq!(
            middle("/etc/kubernetes/manifests/etcd.yaml", 17),
            "/etc/../etcd.yaml"
        );
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn words_wrap_and_long_words_break() {
        assert_eq!(wrap("a bb ccc dddddd", 4), ["a bb", "ccc", "dddd", "dd"]);
        assert_eq!(wrap("", 4), [""]);
        for width in 0..3 {
            assert!(!wrap("\u{8868}x \u{8868}", width).is_empty());
        }
    }

    #[test]
    fn ages_fit_four_columns() {
        for (seconds, text) in [
            (3, "3s"),
            (7260, "2h01"),
            (36_060, "10h"),
            (41 * 86_400, "41d"),
            (u64::MAX, "old"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }
}
