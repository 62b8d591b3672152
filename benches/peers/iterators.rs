//! Contenders whose parallel iterators bear the same names as rayon's.

use std::sync::Mutex;

use orx_parallel::{BasicPool, Par, Parallelizable, Runner};
use paralight::prelude::{
    ExactParallelSourceExt, IntoExactParallelRefMutSource, IntoExactParallelRefSource,
    ParallelIteratorExt, ThreadPool, ZipableSource,
};

/// orx-parallel, on a pool of its own.
pub(crate) struct Orx {
    pool: BasicPool,
    threads: usize,
}

impl Orx {
    /// Starts the threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self { pool: BasicPool::new(threads), threads }
    }

    /// Maps every item, in order.
    pub(crate) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        f: impl Fn(&T) -> R + Copy + Send + Sync,
    ) -> Vec<R> {
        let runner = Runner::adaptive_with_pool(&self.pool);
        items.par().runner(runner).num_threads(self.threads).map(f).collect()
    }

    /// Sums the items.
    pub(crate) fn sum(&self, items: &[f64]) -> f64 {
        let runner = Runner::adaptive_with_pool(&self.pool);
        items.par().runner(runner).num_threads(self.threads).sum()
    }

    /// Keeps what `f` keeps, in order.
    pub(crate) fn filter_map<T: Sync, R: Send>(
        &self,
        items: &[T],
        f: impl Fn(&T) -> Option<R> + Copy + Send + Sync,
    ) -> Vec<R> {
        let runner = Runner::adaptive_with_pool(&self.pool);
        items.par().runner(runner).num_threads(self.threads).filter_map(f).collect()
    }
}

/// paralight, whose calls want the pool to themselves.
pub(crate) struct Paralight(Mutex<ThreadPool>);

impl Paralight {
    /// Takes the pool in.
    pub(crate) fn new(pool: ThreadPool) -> Self {
        Self(Mutex::new(pool))
    }

    /// Maps every item, in order. It collects no mapped items, so they go to where zeros were.
    pub(crate) fn map<T: Sync, R: Clone + Default + Send>(
        &self,
        items: &[T],
        f: impl Fn(&T) -> R + Sync,
    ) -> Vec<R> {
        let mut output = vec![R::default(); items.len()];
        (output.as_mut_slice().par_iter_mut(), items.par_iter())
            .zip_eq()
            .with_thread_pool(&mut *self.0.lock().expect("nothing panics here"))
            .for_each(|(slot, item)| *slot = f(item));
        output
    }

    /// Sums the items.
    pub(crate) fn sum(&self, items: &[f64]) -> f64 {
        let mut pool = self.0.lock().expect("nothing panics here");
        items.par_iter().with_thread_pool(&mut *pool).sum()
    }
}
