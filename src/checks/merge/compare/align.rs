//! Two lists side by side, so that a missing element is one difference and not one for every later element.

use serde_json::Value;

/// Indices of elements that belong together; one side alone is an insertion or a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub left: Option<usize>,
    pub right: Option<usize>,
}

/// Beyond this many cells the middle of two lists is paired by index: hostile lists cost no more.
const CELLS: usize = 1_000_000;

/// The longest common subsequence, then what lies between: flags of one name are paired.
pub fn align(left: &[Value], right: &[Value]) -> Vec<Pair> {
    let head = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let (rest_left, rest_right) = (&left[head..], &right[head..]);
    let tail = rest_left
        .iter()
        .rev()
        .zip(rest_right.iter().rev())
        .take_while(|(l, r)| l == r)
        .count();
    let middle_left = &rest_left[..rest_left.len() - tail];
    let middle_right = &rest_right[..rest_right.len() - tail];
    let mut pairs: Vec<Pair> = (0..head).map(|index| both(index, index)).collect();
    for pair in between(middle_left, middle_right) {
        pairs.push(Pair {
            left: pair.left.map(|index| index + head),
            right: pair.right.map(|index| index + head),
        });
    }
    let (left_tail, right_tail) = (left.len() - tail, right.len() - tail);
    pairs.extend((0..tail).map(|index| both(left_tail + index, right_tail + index)));
    pairs
}

const fn both(left: usize, right: usize) -> Pair {
    Pair {
        left: Some(left),
        right: Some(right),
    }
}

fn between(left: &[Value], right: &[Value]) -> Vec<Pair> {
    if left.len().saturating_mul(right.len()) > CELLS {
        let len = left.len().max(right.len());
        let there = |index: usize, list: &[Value]| (index < list.len()).then_some(index);
        return (0..len)
            .map(|index| Pair {
                left: there(index, left),
                right: there(index, right),
            })
            .collect();
    }
    let lengths = lengths(left, right);
    let width = right.len() + 1;
    let (mut l, mut r) = (0, 0);
    let mut pairs = Vec::new();
    let mut gap = Between::default();
    while l < left.len() || r < right.len() {
        let value = |l: usize, r: usize| lengths.get(l * width + r).copied().unwrap_or(0);
        if l < left.len() && r < right.len() && left[l] == right[r] {
            gap.flush(left, right, &mut pairs);
            pairs.push(both(l, r));
            l += 1;
            r += 1;
        } else if r >= right.len() || (l < left.len() && value(l + 1, r) >= value(l, r + 1)) {
            gap.left.push(l);
            l += 1;
        } else {
            gap.right.push(r);
            r += 1;
        }
    }
    gap.flush(left, right, &mut pairs);
    pairs
}

/// Lengths of the longest common subsequences of all suffixes, row by row.
fn lengths(left: &[Value], right: &[Value]) -> Vec<u32> {
    let width = right.len() + 1;
    let mut table = vec![0_u32; (left.len() + 1) * width];
    for l in (0..left.len()).rev() {
        for r in (0..right.len()).rev() {
            table[l * width + r] = if left[l] == right[r] {
                table[(l + 1) * width + r + 1] + 1
            } else {
                table[(l + 1) * width + r].max(table[l * width + r + 1])
            };
        }
    }
    table
}

/// Elements between two common ones.
#[derive(Default)]
struct Between {
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Between {
    fn flush(&mut self, left: &[Value], right: &[Value], pairs: &mut Vec<Pair>) {
        for l in self.left.drain(..) {
            let same = self
                .right
                .iter()
                .position(|r| flag(&left[l]).is_some_and(|name| flag(&right[*r]) == Some(name)));
            pairs.push(Pair {
                left: Some(l),
                right: same.map(|at| self.right.remove(at)),
            });
        }
        pairs.extend(self.right.drain(..).map(|r| Pair {
            left: None,
            right: Some(r),
        }));
    }
}

/// The name of a flag: `--name` of `--name=value`.
fn flag(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    let name = text.split('=').next().unwrap_or(text);
    text.starts_with('-').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: &str, right: &str) -> String {
        let list = |text: &str| -> Vec<Value> { text.split(' ').map(Value::from).collect() };
        let (left, right) = (list(left), list(right));
        let word = |list: &[Value], index: Option<usize>| {
            index.map_or("-".to_owned(), |i| {
                list[i].as_str().unwrap_or("").to_owned()
            })
        };
        let pairs = align(&left, &right);
        let shown: Vec<String> = pairs
            .iter()
            .filter(|p| word(&left, p.left) != word(&right, p.right))
            .map(|p| format!("{}:{}", word(&left, p.left), word(&right, p.right)))
            .collect();
        shown.join(" ")
    }

    #[test]
    fn one_missing_flag_is_one_row() {
        for (left, right, rows) in [
            ("a --b=1 --c=2 --d=3", "a --b=1 --c=2 --d=3", ""),
            ("a --b=1 --c=2 --d=3", "a --c=2 --d=3", "--b=1:-"),
            ("a --c=2 --d=3", "a --b=1 --c=2 --d=3", "-:--b=1"),
            ("a --b=1 --c=2", "a --b=9 --c=2", "--b=1:--b=9"),
            (
                "a --b=1 --x --c",
                "a --y --b=2 --c",
                "--b=1:--b=2 --x:- -:--y",
            ),
            ("a b", "b a", "a:- -:a"),
        ] {
            assert_eq!(shown(left, right), rows, "{left} / {right}");
        }
    }

    #[test]
    fn long_lists_are_bounded() {
        let list = |from: u64| -> Vec<Value> { (from..from + 5000).map(Value::from).collect() };
        assert_eq!(align(&list(0), &list(1_000_000)).len(), 5000);
    }
}
