//! The last few things, by their keys.

use std::collections::{HashMap, VecDeque};

/// Keeps as many things as it is told, and lets go of the oldest.
#[derive(Debug)]
pub(super) struct Recent<T> {
    most: usize,
    things: HashMap<u64, T>,
    order: VecDeque<u64>,
}

impl<T> Recent<T> {
    pub(super) fn of(most: usize) -> Self {
        Self { most, things: HashMap::new(), order: VecDeque::new() }
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        self.things.contains_key(&key)
    }

    /// Keeps a thing; hands back the oldest one if there is no room for it any more.
    pub(super) fn insert(&mut self, key: u64, thing: T) -> Option<T> {
        if self.things.insert(key, thing).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() <= self.most {
            return None;
        }
        // A key that was removed still stands in the order; then there is nothing to hand back.
        let oldest = self.order.pop_front()?;
        self.things.remove(&oldest)
    }

    pub(super) fn remove(&mut self, key: u64) {
        self.things.remove(&key);
    }

    /// Everything, the oldest first.
    pub(super) fn drain(&mut self) -> Vec<T> {
        let order = std::mem::take(&mut self.order);
        order.into_iter().filter_map(|key| self.things.remove(&key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut recent = Recent::of(2);
        assert_eq!(recent.insert(1, "a"), None);
        assert_eq!(recent.insert(2, "b"), None);
        assert_eq!(recent.insert(3, "c"), Some("a"));
        recent.remove(2);
        assert_eq!(recent.insert(4, "d"), None);
        assert!(!recent.contains(2));
        assert_eq!(recent.drain(), ["c", "d"]);
    }
}
