//! Joins without a cut-off: what a fork costs that hardly anybody steals.

use std::hint::black_box;

use crate::{
    contenders::{Contender, Contenders},
    placement::Placement,
    race::{Bench, Entry},
    record::Reach,
};

/// Runs all rows of this part.
pub(crate) fn run(bench: &Bench, contenders: &Contenders, placement: &Placement) {
    let reach = |took, reach| Some(Reach::of(Contender::Loop, took, reach));
    fib_row(bench, contenders, 12, "", reach(1.9, 5.0));
    fib_row(bench, contenders, 20, "", None);
    fib_row(bench, contenders, 30, "", reach(1.9, 2.45));
    let alone = Contenders::new(1, placement, bench.cast());
    fib_row(bench, &alone, 30, ", pools of 1", reach(2.0, 4.1));
    tree_row(bench, contenders, 10, reach(2.4, 4.5));
    tree_row(bench, contenders, 24, reach(11.9, 7.5));
}

fn fib_row(bench: &Bench, contenders: &Contenders, n: u32, suffix: &str, reach: Option<Reach>) {
    let joins = joins(n);
    let Some(row) = bench.row(format!("join: fib({n}), {joins} joins{suffix}")) else {
        return;
    };
    let entry = |contender| Entry::new(contender, move || fib_by(contenders, contender, n));
    row.per(joins).reach(reach).race(FORKERS.map(entry).into());
}

/// Those who know `join`.
const FORKERS: [Contender; 5] =
    [Contender::Loop, Contender::Rayon, Contender::Chili, Contender::Forte, Contender::Manyhands];

/// How many joins `fib(n)` makes.
pub(crate) fn joins(n: u32) -> u64 {
    fib(n + 1) - 1
}

/// The Fibonacci number, by a contender that knows `join`.
pub(crate) fn fib_by(contenders: &Contenders, contender: Contender, n: u32) -> Option<u64> {
    let Contenders { rayon, chili, forte, manyhands, .. } = contenders;
    Some(match contender {
        Contender::Loop => fib(black_box(n)),
        Contender::Rayon => rayon.install(|| fib_rayon(n)),
        Contender::Chili => fib_chili(&mut chili.scope(), n),
        Contender::Forte => forte.0.with_worker(|worker| fib_forte(worker, n)),
        Contender::Manyhands => fib_manyhands(manyhands, n),
        _ => return None,
    })
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

fn fib_forte(worker: &forte::Worker, n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = worker.join(|worker| fib_forte(worker, n - 1), |worker| fib_forte(worker, n - 2));
    a + b
}

fn fib_manyhands(pool: &manyhands::Pool, n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = pool.join(|| fib_manyhands(pool, n - 1), || fib_manyhands(pool, n - 2));
    a + b
}

fn tree_row(bench: &Bench, contenders: &Contenders, levels: u32, reach: Option<Reach>) {
    let Some(row) = bench.row(format!("join: tree of 2^{levels} nodes")) else {
        return;
    };
    let tree = Node::perfect(levels);
    let Contenders { rayon, chili, forte, manyhands, .. } = contenders;
    row.per(1 << levels).reach(reach).race(vec![
        Entry::new(Contender::Loop, || tree.sum()),
        Entry::new(Contender::Rayon, || rayon.install(|| tree.sum_rayon())),
        Entry::new(Contender::Chili, || tree.sum_chili(&mut chili.scope())),
        Entry::new(Contender::Forte, || forte.0.with_worker(|worker| tree.sum_forte(worker))),
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

    fn sum_forte(&self, worker: &forte::Worker) -> u64 {
        let Some([left, right]) = &self.children else {
            return self.value;
        };
        let (left, right) =
            worker.join(|worker| left.sum_forte(worker), |worker| right.sum_forte(worker));
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
