//! The way through the views: down, up, beside, back and forth. A view that is left keeps filter, sort and cursor.

use super::app::{App, Effect};
use super::pane::{self, Address};

/// Views that are kept while another stands in their place.
const ASIDE: usize = 16;

impl App {
    /// Opens the view of an address on top of what is shown.
    pub fn open(&mut self, address: &Address) {
        if self.pane().address() == *address {
            return;
        }
        let mut opened = pane::open(address, Some(self.pane()));
        opened.sync(&self.world);
        self.panes.push(opened);
        self.forward.clear();
    }

    /// Shows a view of the same node in the place of this one; both keep filter, sort and cursor.
    pub(super) fn swap(&mut self, address: &Address) {
        let kept = self
            .aside
            .iter()
            .position(|pane| pane.address() == *address);
        let next = match kept {
            Some(at) => self.aside.remove(at),
            None => pane::open(address, None),
        };
        if let Some(last) = self.panes.last_mut() {
            self.aside.push(std::mem::replace(last, next));
        }
        self.aside.drain(..self.aside.len().saturating_sub(ASIDE));
        self.forward.clear();
    }

    /// Clears a filter, else goes up, else asks before it quits.
    pub(super) fn back(&mut self, armed: bool) -> Vec<Effect> {
        if self.zoom {
            self.zoom = false;
        } else if self.pane_mut().back() {
            self.sync();
        } else if !self.pane().filter().is_empty() {
            self.pane_mut().set_filter("");
            self.sync();
        } else if self.panes.len() > 1 {
            self.leave();
        } else if armed {
            return vec![Effect::Quit];
        } else {
            self.arm("q again to quit");
        }
        Vec::new()
    }

    pub(super) fn leave(&mut self) {
        if self.panes.len() > 1 {
            self.forward.extend(self.panes.pop());
            self.sync();
        }
    }

    pub(super) fn again(&mut self) {
        if let Some(pane) = self.forward.pop() {
            self.panes.push(pane);
            self.sync();
        }
    }
}
