//! Who competes, and their pools.

use std::{num::NonZero, sync::LazyLock, thread};

use paralight::threads::{CpuPinningPolicy, RangeStrategy, ThreadCount, ThreadPoolBuilder};

use crate::{
    channel_pool::ChannelPool,
    iterators::{Orx, Paralight},
    placement::Placement,
    std_scope::StdScope,
};

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    Loop,
    Rayon,
    Chili,
    Forte,
    Orx,
    Paralight,
    StdScope,
    Channel,
    Manyhands,
}

impl Contender {
    /// All of them, as the table orders them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Loop,
        Self::Rayon,
        Self::Chili,
        Self::Forte,
        Self::Orx,
        Self::Paralight,
        Self::StdScope,
        Self::Channel,
        Self::Manyhands,
    ];

    /// Heads the column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loop => "loop",
            Self::Rayon => "rayon",
            Self::Chili => "chili",
            Self::Forte => "Forte",
            Self::Orx => "orx",
            Self::Paralight => "paralight",
            Self::StdScope => "std::scope",
            Self::Channel => "channels",
            Self::Manyhands => "manyhands",
        }
    }

    /// The contender that heads its column so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Whether this is another library, or what one would write without any.
    pub(crate) fn is_peer(self) -> bool {
        !matches!(self, Self::Loop | Self::Manyhands)
    }
}

/// Who takes part in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    /// All but Forte.
    Company,
    /// Forte, whose heartbeat takes a part of every other thread's time, the loop and manyhands: to
    /// compare, two must run in the same process.
    Forte,
    /// The loop, rayon and manyhands, over inputs that grow.
    Growth,
    /// One alone, whose footprint is taken.
    Only(Contender),
}

impl Cast {
    /// What a child is told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Forte => "apart",
            Self::Growth => "growth",
            Self::Only(contender) => contender.name(),
        }
    }

    /// The cast of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "company" => Some(Self::Company),
            "apart" => Some(Self::Forte),
            "growth" => Some(Self::Growth),
            name => Contender::named(name).map(Self::Only),
        }
    }

    /// Whether a row of these is of interest.
    pub(crate) fn wants(self, mut contenders: impl Iterator<Item = Contender>) -> bool {
        self != Self::Forte || contenders.any(|contender| contender == Contender::Forte)
    }

    /// Whether `contender` takes part.
    pub(crate) fn has(self, contender: Contender) -> bool {
        match self {
            Self::Company => contender != Contender::Forte,
            Self::Forte => {
                matches!(contender, Contender::Loop | Contender::Forte | Contender::Manyhands)
            }
            Self::Growth => {
                matches!(contender, Contender::Loop | Contender::Rayon | Contender::Manyhands)
            }
            Self::Only(only) => contender == only,
        }
    }
}

/// A pool that is made when it is first used.
type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// The pools of those that need one, all of one size.
pub(crate) struct Contenders {
    pub(crate) threads: usize,
    pub(crate) rayon: Lazy<rayon::ThreadPool>,
    pub(crate) chili: Lazy<chili::ThreadPool>,
    pub(crate) forte: Lazy<Forte>,
    pub(crate) orx: Lazy<Orx>,
    pub(crate) paralight: Lazy<Paralight>,
    pub(crate) std_scope: StdScope,
    pub(crate) channel: Lazy<ChannelPool>,
    pub(crate) manyhands: Lazy<manyhands::Pool>,
}

impl Contenders {
    /// Pools of `threads` threads, that of the cast.
    pub(crate) fn new(threads: usize, placement: &Placement, cast: Cast) -> Self {
        let contenders = Self {
            threads,
            rayon: lazy(placement, move |placement| rayon(threads, placement)),
            chili: lazy(placement, move |placement| chili(threads, &placement)),
            forte: lazy(placement, move |placement| Forte::new(threads, &placement)),
            orx: lazy(placement, move |_| Orx::new(threads)),
            paralight: lazy(placement, move |placement| paralight(threads, &placement)),
            std_scope: StdScope::new(threads, placement.clone()),
            channel: lazy(placement, move |placement| ChannelPool::new(threads, &placement)),
            manyhands: lazy(placement, move |placement| manyhands(threads, placement)),
        };
        // A thread starts where its maker may run, so those that have no say in it are made here,
        // before the caller is pinned.
        if cast.has(Contender::Orx) {
            LazyLock::force(&contenders.orx);
        }
        contenders
    }
}

fn lazy<T: 'static>(
    placement: &Placement,
    make: impl FnOnce(Placement) -> T + Send + 'static,
) -> Lazy<T> {
    let placement = placement.clone();
    LazyLock::new(Box::new(|| make(placement)))
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
    made_elsewhere(threads, placement, || chili::ThreadPool::with_config(config))
}

/// Makes a pool, in which the caller takes part, from a thread that may run where its only worker
/// is to run.
fn made_elsewhere<T: Send>(
    threads: usize,
    placement: &Placement,
    make: impl FnOnce() -> T + Send,
) -> T {
    let make = || {
        if threads == 2 {
            placement.pin_worker(0);
        }
        make()
    };
    thread::scope(|scope| scope.spawn(make).join()).expect("a pool is made")
}

/// Forte's pool, which must be a static; its callers take part.
#[derive(Clone, Copy)]
pub(crate) struct Forte(pub(crate) &'static forte::ThreadPool);

impl Forte {
    fn new(threads: usize, placement: &Placement) -> Self {
        let pool: &'static _ = Box::leak(Box::new(forte::ThreadPool::new()));
        made_elsewhere(threads, placement, || pool.resize_to(threads.saturating_sub(1).max(1)));
        Self(pool)
    }
}

/// paralight pins its workers by itself, to one core each from the first on.
fn paralight(threads: usize, placement: &Placement) -> Paralight {
    let builder = ThreadPoolBuilder {
        num_threads: ThreadCount::try_from(threads).expect("pools have threads"),
        range_strategy: RangeStrategy::WorkStealing,
        cpu_pinning: if placement.is_free() {
            CpuPinningPolicy::No
        } else {
            CpuPinningPolicy::IfSupported
        },
    };
    Paralight::new(builder.build())
}

fn manyhands(threads: usize, placement: Placement) -> manyhands::Pool {
    manyhands::Pool::builder()
        .threads(threads)
        .on_start(move |index| placement.pin_worker(index))
        .build()
        .expect("manyhands gets its threads")
}
