//! Joins without a cut-off: what a fork costs that hardly anybody steals.

use std::hint::black_box;

use crate::{
    contenders::{Contender, Contenders},
    placement::Placement,
    race::{Bench, Entry},
};

/// Runs all rows of this part.
pub(crate) fn run(bench: &Bench, contenders: &Contenders, placement: &Placement) {
    for n in [12, 20, 30] {
        fib_row(bench, contenders, n, "");
    }
    fib_row(bench, &Contenders::new(1, placement), 30, ", pools of 1");
    for levels in [10, 20] {
        tree_row(bench, contenders, levels);
    }
}

fn fib_row(bench: &Bench, contenders: &Contenders, n: u32, suffix: &str) {
    let joins = fib(n + 1) - 1;
    let Some(row) = bench.row(format!("join: fib({n}), {joins} joins{suffix}")) else {
        return;
    };
    let Contenders { rayon, chili, manyhands, .. } = contenders;
    row.per(joins).race(vec![
        Entry::new(Contender::Loop, || fib(black_box(n))),
        Entry::new(Contender::Rayon, || rayon.install(|| fib_rayon(n))),
        Entry::new(Contender::Chili, || fib_chili(&mut chili.scope(), n)),
        Entry::new(Contender::Manyhands, || fib_manyhands(manyhands, n)),
    ]);
}

fn fib(n: u32) -> u64 {
    if n < 2 { n.into() } else { fib(n - 1) + fib(n - 2) }
}

fn fib_rayon(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = rayon::join(|| fib_rayon(n - 1), || fib_rayon(n - 2));
    a + b
}

fn fib_chili(scope: &mut chili::Scope<'_>, n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = scope.join(|scope| fib_chili(scope, n - 1), |scope| fib_chili(scope, n - 2));
    a + b
}

fn fib_manyhands(pool: &manyhands::Pool, n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = pool.join(|| fib_manyhands(pool, n - 1), || fib_manyhands(pool, n - 2));
    a + b
}

fn tree_row(bench: &Bench, contenders: &Contenders, levels: u32) {
    let Some(row) = bench.row(format!("join: tree of 2^{levels} nodes")) else {
        return;
    };
    let tree = Node::perfect(levels);
    let Contenders { rayon, chili, manyhands, .. } = contenders;
    row.per(1 << levels).race(vec![
        Entry::new(Contender::Loop, || tree.sum()),
        Entry::new(Contender::Rayon, || rayon.install(|| tree.sum_rayon())),
        Entry::new(Contender::Chili, || tree.sum_chili(&mut chili.scope())),
        Entry::new(Contender::Manyhands, || tree.sum_manyhands(manyhands)),
    ]);
}

struct Node {
    value: u64,
    children: Option<[Box<Node>; 2]>,
}

impl Node {
    /// Every level full: one node short of `2^levels`.
    ///
    /// The child made first, and so first in memory, stands left on one level and right on the
    /// next: chili visits the right half first, and is to gain or lose nothing by that.
    fn perfect(levels: u32) -> Self {
        let child = || Box::new(Self::perfect(levels - 1));
        let children = || match levels % 2 {
            0 => [child(), child()],
            _ => {
                let right = child();
                [child(), right]
            }
        };
        Self { value: levels.into(), children: (levels > 1).then(children) }
    }

    fn sum(&self) -> u64 {
        let Some([left, right]) = &self.children else {
            return self.value;
        };
        self.value + left.sum() + right.sum()
    }

    fn sum_rayon(&self) -> u64 {
        let Some([left, right]) = &self.children else {
            return self.value;
        };
        let (left, right) = rayon::join(|| left.sum_rayon(), || right.sum_rayon());
        self.value + left + right
    }

    fn sum_chili(&self, scope: &mut chili::Scope<'_>) -> u64 {
        let Some([left, right]) = &self.children else {
            return self.value;
        };
        let (left, right) =
            scope.join(|scope| left.sum_chili(scope), |scope| right.sum_chili(scope));
        self.value + left + right
    }

    fn sum_manyhands(&self, pool: &manyhands::Pool) -> u64 {
        let Some([left, right]) = &self.children else {
            return self.value;
        };
        let (left, right) = pool.join(|| left.sum_manyhands(pool), || right.sum_manyhands(pool));
        self.value + left + right
    }
}
