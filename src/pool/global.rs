//! The pool that everybody shares.

use std::sync::OnceLock;

use super::builder::number_in;
use super::{Pool, PoolBuilder};

const SIZE: &str = "MANYHANDS_NUM_THREADS";

static GLOBAL: OnceLock<Pool> = OnceLock::new();

impl Pool {
    /// The pool that the free functions use outside of any other pool's code.
    ///
    /// It is built at its first use, with a thread for each CPU that this process may use, or as
    /// many as `MANYHANDS_NUM_THREADS` in the environment says (a value that is not a number above
    /// 0 is ignored). It never fails: with no thread to be had, everything runs on its caller.
    #[must_use]
    pub fn global() -> &'static Self {
        loop {
            if let Some(global) = GLOBAL.get() {
                return global;
            }
            // Outside of the cell: in a child that is forked meanwhile nobody would ever fill it.
            // Of several first users all but one have built in vain.
            drop(GLOBAL.set(Self::first_global()));
        }
    }

    fn first_global() -> Self {
        let builder = PoolBuilder::default();
        let sized =
            number_in(SIZE).and_then(|threads| builder.clone().threads(threads).build().ok());
        sized.or_else(|| builder.build().ok()).unwrap_or_else(Self::serial)
    }

    /// Makes `pool` the global one. It must come before the first use of the global pool.
    ///
    /// # Errors
    ///
    /// `pool` itself, if there is a global pool already.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::Pool;
    ///
    /// Pool::set_global(Pool::new(2)?).expect("nothing has used the global pool yet");
    /// assert_eq!(Pool::global().threads(), 2);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    pub fn set_global(pool: Self) -> Result<(), Self> {
        GLOBAL.set(pool)
    }

    pub(super) fn is_global(&self) -> bool {
        GLOBAL
            .get()
            .is_some_and(|global| std::sync::Arc::ptr_eq(&global.scheduler, &self.scheduler))
    }
}
