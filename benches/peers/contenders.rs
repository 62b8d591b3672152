//! Who competes, and their pools.

use std::{num::NonZero, thread};

use crate::{channel_pool::ChannelPool, placement::Placement, std_scope::StdScope};

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Loop,
    Rayon,
    Chili,
    StdScope,
    Channel,
    Manyhands,
}

impl Contender {
    /// All of them, as the table orders them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Loop, Self::Rayon, Self::Chili, Self::StdScope, Self::Channel, Self::Manyhands];

    /// Heads the column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loop => "loop",
            Self::Rayon => "rayon",
            Self::Chili => "chili",
            Self::StdScope => "std::scope",
            Self::Channel => "channels",
            Self::Manyhands => "manyhands",
        }
    }

    /// Whether this is another library, or what one would write without any.
    pub(crate) fn is_peer(self) -> bool {
        !matches!(self, Self::Loop | Self::Manyhands)
    }
}

/// The pools of those that need one, all of one size.
pub(crate) struct Contenders {
    pub(crate) threads: usize,
    pub(crate) rayon: rayon::ThreadPool,
    pub(crate) chili: chili::ThreadPool,
    pub(crate) std_scope: StdScope,
    pub(crate) channel: ChannelPool,
    pub(crate) manyhands: manyhands::Pool,
}

impl Contenders {
    /// Starts every pool with `threads` threads.
    pub(crate) fn new(threads: usize, placement: &Placement) -> Self {
        Self {
            threads,
            rayon: rayon(threads, placement.clone()),
            chili: chili(threads, placement),
            std_scope: StdScope::new(threads, placement.clone()),
            channel: ChannelPool::new(threads, placement),
            manyhands: manyhands(threads, placement.clone()),
        }
    }
}

fn rayon(threads: usize, placement: Placement) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .start_handler(move |index| placement.pin_worker(index))
        .build()
        .expect("rayon gets its threads")
}

/// chili counts the caller among its threads, and has no hook at their start; but they inherit the
/// core of the thread that makes the pool. Two or more would share it, so they go unpinned.
fn chili(threads: usize, placement: &Placement) -> chili::ThreadPool {
    let config = chili::Config { thread_count: NonZero::new(threads), ..chili::Config::default() };
    let build = || {
        if threads == 2 {
            placement.pin_worker(0);
        }
        chili::ThreadPool::with_config(config)
    };
    thread::scope(|scope| scope.spawn(build).join()).expect("chili gets its threads")
}

fn manyhands(threads: usize, placement: Placement) -> manyhands::Pool {
    manyhands::Pool::builder()
        .threads(threads)
        .on_start(move |index| placement.pin_worker(index))
        .build()
        .expect("manyhands gets its threads")
}
