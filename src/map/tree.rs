//! The tree by which a reduction combines its leaves: fixed by their number alone.
//!
//! ```text
//!   level 2            0
//!                  ┌───┴───┐
//!   level 1        0       1
//!                ┌─┴─┐   ┌─┴─┐
//!   level 0      0   1   2   3   4      five leaves: the last one waits for the root
//! ```
//!
//! Node `i` of a level covers the leaves `i << level ..`, as many as there are; it combines its two
//! children, left before right, and is its left child where there is no right one. So the same
//! length gives the same operations on the same values, whoever does them and when.

use std::collections::HashMap;
use std::mem::take;

use crate::sync::{Mutex, lock};
use crate::unwind::discard;

/// A node: its level, and its index there.
type Node = (u32, usize);

/// The nodes that are done and wait for their siblings.
#[derive(Debug)]
pub(super) struct Tree<A> {
    leaves: usize,
    waiting: Mutex<HashMap<Node, A>>,
}

impl<A> Tree<A> {
    pub(super) fn new(leaves: usize) -> Self {
        Self { leaves, waiting: Mutex::new(HashMap::new()) }
    }

    /// Puts a node's value in its place, and combines upwards as far as siblings are there.
    pub(super) fn add(&self, mut node: Node, mut value: A, combine: impl Fn(A, A) -> A) {
        while !self.is_root(node) {
            if self.is_lonely(node) {
                node = parent(node);
                continue;
            }
            let mut waiting = lock(&self.waiting);
            let Some(other) = waiting.remove(&sibling(node)) else {
                waiting.insert(node, value);
                return;
            };
            drop(waiting);
            value = if is_left(node) { combine(value, other) } else { combine(other, value) };
            node = parent(node);
        }
        lock(&self.waiting).insert(node, value);
    }

    /// The value of the whole, once all leaves were added.
    pub(super) fn into_root(self) -> Option<A> {
        let waiting = take(&mut *lock(&self.waiting));
        waiting.into_values().next()
    }

    fn is_root(&self, (level, index): Node) -> bool {
        index == 0 && (self.leaves - 1) >> level == 0
    }

    /// Whether there is nothing on the right of this left child.
    fn is_lonely(&self, node: Node) -> bool {
        let (level, index) = node;
        is_left(node) && (self.leaves - 1) >> level < index + 1
    }
}

/// What is left of a reduction that failed: each value is dropped, whatever the others' drops do.
impl<A> Drop for Tree<A> {
    fn drop(&mut self) {
        let waiting = take(&mut *lock(&self.waiting));
        waiting.into_values().for_each(discard);
    }
}

/// Neighbouring nodes, left to right, combined as far as they are siblings: what one participant
/// has done of the tree, without any lock.
#[derive(Debug)]
pub(super) struct Branch<A>(Vec<(Node, A)>);

impl<A> Branch<A> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds the leaf on the right of the last one, or anywhere if there is none.
    pub(super) fn push(&mut self, leaf: usize, value: A, combine: impl Fn(A, A) -> A) {
        let mut node = (0, leaf);
        let mut value = value;
        while self.0.last().is_some_and(|(last, _)| is_left(*last) && sibling(*last) == node) {
            let Some((_, left)) = self.0.pop() else { break };
            value = combine(left, value);
            node = parent(node);
        }
        self.0.push((node, value));
    }

    /// Hands everything over to the tree.
    pub(super) fn add_to(&mut self, tree: &Tree<A>, combine: impl Fn(A, A) -> A) {
        for (node, value) in self.0.drain(..) {
            tree.add(node, value, &combine);
        }
    }
}

/// As for [`Tree`].
impl<A> Drop for Branch<A> {
    fn drop(&mut self) {
        take(&mut self.0).into_iter().for_each(|(_, value)| discard(value));
    }
}

fn is_left((_, index): Node) -> bool {
    index % 2 == 0
}

fn sibling((level, index): Node) -> Node {
    (level, index ^ 1)
}

fn parent((level, index): Node) -> Node {
    (level + 1, index / 2)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn combine(left: String, right: String) -> String {
        format!("({left}{right})")
    }

    fn expression(leaves: usize, cuts: &[usize]) -> String {
        let tree = Tree::new(leaves);
        let mut bounds = vec![0];
        bounds.extend(cuts);
        bounds.push(leaves);
        for claim in bounds.windows(2).rev() {
            let mut branch = Branch::new();
            for leaf in claim[0]..claim[1] {
                branch.push(leaf, leaf.to_string(), combine);
            }
            branch.add_to(&tree, combine);
        }
        tree.into_root().expect("all leaves are in")
    }

    #[test]
    fn the_shape_is_that_of_the_picture() {
        assert_eq!(expression(1, &[]), "0");
        assert_eq!(expression(3, &[]), "((01)2)");
        assert_eq!(expression(5, &[]), "(((01)(23))4)");
    }

    #[test]
    fn the_shape_does_not_depend_on_the_claims() {
        for leaves in 1..20 {
            let whole = expression(leaves, &[]);
            for cut in 0..leaves {
                assert_eq!(expression(leaves, &[cut]), whole);
            }
            let singles: Vec<_> = (1..leaves).collect();
            assert_eq!(expression(leaves, &singles), whole);
        }
    }
}
