//! Finds cycles in directed graphs.
//!
//! Invariants: nothing recurses, so a chain may have any length. All functions are linear in nodes and edges.

use std::collections::{HashMap, VecDeque};

/// The strongly connected components of a graph, each after the components that it has edges to.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        edges,
        number: vec![UNSEEN; edges.len()],
        low: vec![0; edges.len()],
        on_stack: vec![false; edges.len()],
        stack: Vec::new(),
        next: 0,
        components: Vec::new(),
    };
    for node in 0..edges.len() {
        if search.number.get(node) == Some(&UNSEEN) {
            search.visit(node);
        }
    }
    search.components
}

/// Whether a component is a cycle: several nodes, or one with an edge to itself.
pub(super) fn is_cycle(component: &[usize], edges: &[Vec<usize>]) -> bool {
    match component {
        [node] => edges.get(*node).is_some_and(|targets| targets.contains(node)),
        _ => true,
    }
}

/// The shortest cycle through a component's lowest node, which is both the first and the last element.
pub(super) fn shortest_cycle(component: &[usize], edges: &[Vec<usize>]) -> Vec<usize> {
    let Some(start) = component.iter().copied().min() else { return Vec::new() };
    let inside: std::collections::HashSet<usize> = component.iter().copied().collect();
    let mut from: HashMap<usize, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for target in edges.get(node).into_iter().flatten().copied().filter(|target| inside.contains(target))
        {
            if target == start {
                let mut path = vec![start, node];
                let mut at = node;
                while let Some(before) = from.get(&at).copied().filter(|_| at != start) {
                    path.push(before);
                    at = before;
                }
                if node == start {
                    path.truncate(2);
                }
                path.reverse();
                return path;
            }
            if let std::collections::hash_map::Entry::Vacant(entry) = from.entry(target) {
                entry.insert(node);
                queue.push_back(target);
            }
        }
    }
    Vec::new()
}

const UNSEEN: usize = usize::MAX;

/// Tarjan's algorithm with an explicit stack instead of recursion.
struct Search<'e> {
    edges: &'e [Vec<usize>],
    number: Vec<usize>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
    components: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, root: usize) {
        let mut work = vec![(root, 0)];
        self.enter(root);
        while let Some((node, edge)) = work.pop() {
            let target = self.edges.get(node).and_then(|targets| targets.get(edge)).copied();
            let Some(target) = target else {
                self.leave(node);
                if let Some((parent, _)) = work.last().copied() {
                    self.lower(parent, self.low_of(node));
                }
                continue;
            };
            work.push((node, edge + 1));
            match self.number.get(target).copied() {
                Some(UNSEEN) => {
                    self.enter(target);
                    work.push((target, 0));
                }
                Some(number) if self.on_stack.get(target) == Some(&true) => self.lower(node, number),
                _ => {}
            }
        }
    }

    fn enter(&mut self, node: usize) {
        set(&mut self.number, node, self.next);
        set(&mut self.low, node, self.next);
        set(&mut self.on_stack, node, true);
        self.stack.push(node);
        self.next += 1;
    }

    fn leave(&mut self, node: usize) {
        if self.number.get(node).copied() != Some(self.low_of(node)) {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.stack.pop() {
            set(&mut self.on_stack, member, false);
            component.push(member);
            if member == node {
                break;
            }
        }
        self.components.push(component);
    }

    fn low_of(&self, node: usize) -> usize {
        self.low.get(node).copied().unwrap_or(UNSEEN)
    }

    fn lower(&mut self, node: usize, to: usize) {
        let low = self.low_of(node).min(to);
        set(&mut self.low, node, low);
    }
}

fn set<T>(values: &mut [T], index: usize, value: T) {
    if let Some(slot) = values.get_mut(index) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::{components, is_cycle, shortest_cycle};

    #[test]
    fn components_come_after_their_targets() {
        let edges = vec![vec![1], vec![2], vec![1, 3], vec![], vec![4]];
        let found = components(&edges);
        assert_eq!(found[0], [3]);
        let mut middle = found[1].clone();
        middle.sort_unstable();
        assert_eq!(middle, [1, 2]);
        assert_eq!(found[2], [0]);
        assert!(is_cycle(&found[1], &edges) && !is_cycle(&found[0], &edges) && is_cycle(&[4], &edges));
        assert_eq!(shortest_cycle(&found[1], &edges), [1, 2, 1]);
        assert_eq!(shortest_cycle(&[4], &edges), [4, 4]);
    }

    #[test]
    fn cycle_of_three_is_found() {
        let edges = vec![vec![1], vec![2], vec![0]];
        assert_eq!(shortest_cycle(&components(&edges)[0], &edges), [0, 1, 2, 0]);
    }

    #[test]
    fn long_chain_does_not_overflow_the_stack() {
        let edges: Vec<Vec<usize>> = (0..200_000).map(|node| vec![(node + 1) % 200_000]).collect();
        assert_eq!(components(&edges).len(), 1);
        assert_eq!(shortest_cycle(&components(&edges)[0], &edges).len(), 200_001);
    }
}
