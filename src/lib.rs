//! Many hands make light work.

mod error;
mod fork;
mod job;
mod join;
mod map;
mod pool;
mod scheduler;
mod scope;
pub mod source;
mod sync;
mod task;
mod unwind;
mod wait;

pub use error::{BuildError, JoinTimeoutError, Panic, StillRunning, TaskError, TryJoinError};
pub use join::join;
pub use map::{
    filter_map, flat_map, fold, for_each, map, map_catch, map_init, map_iter, map_reduce,
    try_for_each, try_map,
};
pub use pool::{Pool, PoolBuilder, Stats, spawn};
pub use scope::{Scope, ScopedHandle, scope};
pub use task::{AsCompleted, CancelOnDrop, TaskHandle, TaskId, as_completed, join_all};
