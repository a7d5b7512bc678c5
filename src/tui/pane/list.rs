//! A cursor that follows an identity through a list that changes.

use crate::tui::keys::Action;

/// Rows by identity, and the one under the cursor.
#[derive(Clone, Debug)]
pub struct List<K> {
    rows: Vec<K>,
    at: usize,
}

impl<K> Default for List<K> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            at: 0,
        }
    }
}

impl<K: Clone + PartialEq> List<K> {
    pub fn rows(&self) -> &[K] {
        &self.rows
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn current(&self) -> Option<&K> {
        self.rows.get(self.at)
    }

    /// New rows: the cursor stays on its row where that still exists, else on its place.
    ///
    /// A cursor that nobody moved stays on the first row, so that the worst one is under it while results come in.
    pub fn set(&mut self, rows: Vec<K>) {
        let kept = (self.at > 0)
            .then(|| self.current())
            .flatten()
            .and_then(|key| rows.iter().position(|row| row == key));
        self.at = kept.unwrap_or(self.at.min(rows.len().saturating_sub(1)));
        self.rows = rows;
    }

    #[cfg(test)]
    /// Puts the cursor on a row.
    pub fn seek(&mut self, key: &K) {
        if let Some(at) = self.rows.iter().position(|row| row == key) {
            self.at = at;
        }
    }

    /// Moves; true where the action was a move.
    pub fn moved(&mut self, action: Action, page: usize) -> bool {
        let last = self.rows.len().saturating_sub(1);
        self.at = match action {
            Action::Up => self.at.saturating_sub(1),
            Action::Down => self.at.saturating_add(1).min(last),
            Action::PageUp => self.at.saturating_sub(page.max(1)),
            Action::PageDown => self.at.saturating_add(page.max(1)).min(last),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        };
        true
    }

    /// The first visible row for a window of `height`: a function of both, so that drawing changes nothing.
    ///
    /// It moves by half a window at a time: most steps of the cursor then repaint two rows, not all.
    pub fn first(&self, height: usize) -> usize {
        let height = height.max(1);
        if self.rows.len() <= height {
            return 0;
        }
        let half = (height / 2).max(1);
        (self.at / half * half)
            .saturating_sub(half / 2)
            .min(self.rows.len() - height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_follows_its_row() {
        let mut list = List::default();
        list.set(vec!["a", "b", "c"]);
        list.moved(Action::Down, 1);
        list.set(vec!["c", "a", "b"]);
        assert_eq!(list.current(), Some(&"b"));
        list.set(vec!["c"]);
        assert_eq!(list.current(), Some(&"c"));
        list.set(Vec::new());
        assert_eq!(list.current(), None);
    }

    #[test]
    fn the_window_holds_the_cursor() {
        let mut list = List::default();
        list.set((0..50).collect());
        for at in 0..50 {
            list.seek(&at);
            for height in [1, 2, 7, 49, 50, 60] {
                let first = list.first(height);
                assert!(first <= at && at < first + height, "{at} {height}");
            }
        }
    }
}
