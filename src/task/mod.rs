//! A result that somebody waits for: one piece of memory a task, and the handles to it.

mod as_completed;
mod block;
mod cell;
mod claim;
mod handle;
mod id;
mod state;
mod ticket;

pub use as_completed::{AsCompleted, as_completed, join_all};
pub use handle::{CancelOnDrop, TaskHandle};
pub use id::TaskId;

pub(crate) use cell::{new_task, refused_task};
pub(crate) use claim::{Patience, await_ticket};
pub(crate) use ticket::{Refusal, Ticket};
