//! Messages: queues, select, pipes, and tasks that wait for them.

mod blocking;
mod clocks;
mod pipes;
mod queues;
mod select;
mod spawn_to;
