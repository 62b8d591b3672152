//! One side's end of a channel: what each process that holds the side has of it.
//!
//! ```text
//!                       ┌──────────── the log: memory ────────────┐
//!   sender  ── put ────►│ tail ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ head │──── get ──► receiver
//!           ══ chime ═══╧═════════════ two sockets ═══════════════╧═══ chime ══
//!           ── carrier ─────────────── two sockets ────────────────── carrier ─
//! ```
//!
//! # Waiting
//!
//! | a receiver | a sender |
//! |---|---|
//! | its turn: nothing is there | its turn: a record is written |
//! | silences its chime, if that was rung | do the receivers call? rings, and says so |
//! | says that the receivers call | publishes the record |
//! | listens | |
//!
//! A chime is silenced only where there is no news, and in a turn. So as long as there is news and
//! somebody listens, the chime rings, or the next news will ring it: nobody sleeps through any. Senders
//! that wait for room do the same with the sides exchanged. Without anybody who waits, messages cost
//! no call of the system. (About 0.3 µs for one there and back then, on a machine where the shortest
//! call takes 0.2 µs.)

use std::io;
use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use super::super::luggage::{LuggageError, fetch, stow};
use super::super::sys::{Carrier, Chime, Heard, Loaded};
use super::failure::Failure;
use super::front::{Call, Word};
use super::letter::Letter;
use super::log::Log;
use super::turn::Turn;
use crate::sync::{Ordering, spin_loop};
use crate::wait::wait_for;

/// The end. The side hangs up when all holders of its ends are gone.
#[derive(Debug)]
pub(super) struct End {
    // In this order: who hears that we part finds that we have hung up.
    chime: Chime,
    carrier: Carrier,
    log: Log,
    /// The partings that were there at the last look for receivers, and how often nobody looked.
    partings: AtomicU64,
    sends: AtomicU64,
}

/// Why a letter was not put or got.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no room, or no letter, now.
    NotNow,
    /// There is no room for its files now.
    Crowded,
    /// The other side is gone.
    Gone,
    /// It is the letter, or the system.
    Failed(Failure),
}

/// The files of an end, by their places in a message.
pub(super) type Places = [u32; 3];

/// How somebody waits who finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Not at all.
    None,
    /// It listens next, for the first time.
    First,
    /// As before, and the chime has rung since.
    Again,
}

/// In how many sends the system is asked once whether there are receivers.
const LOOK_EVERY: u64 = 16;
/// For how long somebody who waits looks before it listens. A round trip takes 2 µs with these looks
/// and 68 µs without, most of which is waking a core.
const SPIN: Duration = Duration::from_micros(20);

impl End {
    /// The senders' end and the receivers' of a new channel.
    pub(super) fn pair(capacity: u64) -> io::Result<(Self, Self)> {
        let log = Log::new(capacity)?;
        let (chime, other_chime) = Chime::pair()?;
        let (carrier, other_carrier) = Carrier::pair()?;
        let other_log = Log::of_file(log.to_file()?)?;
        let senders = Self::new(chime, carrier, log);
        Ok((senders, Self::new(other_chime, other_carrier, other_log)))
    }

    /// Has copies of its files travel with the message that this thread encodes.
    pub(super) fn stow(&self) -> io::Result<Places> {
        let files = [self.chime.to_file()?, self.carrier.to_file()?, self.log.to_file()?];
        let mut places = [0; 3];
        for (place, file) in places.iter_mut().zip(files) {
            *place = stow(file).map_err(io::Error::other)?;
        }
        Ok(places)
    }

    /// The end that has come with the message that this thread decodes.
    pub(super) fn fetch(places: Places) -> io::Result<Self> {
        let [chime, carrier, log] =
            places.map(|place| fetch(place).map_err(|error: LuggageError| io::Error::other(error)));
        let log = Log::of_file(log?)?;
        Ok(Self::new(Chime::of_file(chime?), Carrier::of_file(carrier?), log))
    }

    fn new(chime: Chime, carrier: Carrier, log: Log) -> Self {
        Self { chime, carrier, log, partings: AtomicU64::new(0), sends: AtomicU64::new(0) }
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// Puts the letter, waiting until `deadline` for room.
    pub(super) fn put(&self, letter: &Letter, deadline: Option<Instant>) -> Result<(), Trouble> {
        wait_for(
            &mut (),
            deadline,
            |()| settled(self.try_put(letter)),
            |()| {
                look_for(deadline, || !self.log.is_full());
                self.wait(deadline, |patience| self.put_in_turn(letter, patience))
            },
        )
    }

    /// Puts the letter if there is room.
    pub(super) fn try_put(&self, letter: &Letter) -> Result<(), Trouble> {
        self.put_in_turn(letter, Patience::None)
    }

    fn put_in_turn(&self, letter: &Letter, patience: Patience) -> Result<(), Trouble> {
        if self.finds_nobody()? {
            return Err(Trouble::Gone);
        }
        let mut turn = self.log.turn()?;
        if turn.is_full() {
            self.call(&mut turn, Word::Senders, patience);
            return Err(Trouble::NotNow);
        }
        let ticket = if letter.files.is_empty() { 0 } else { turn.ticket() };
        let record = turn.write(&letter.bytes, letter.files.len(), ticket)?;
        if !letter.files.is_empty() {
            match self.carrier.load(ticket, &letter.files)? {
                Loaded::Yes => {}
                Loaded::Full => return Err(Trouble::Crowded),
                Loaded::Gone => return Err(Trouble::Gone),
            }
        }
        if !self.ring(&mut turn, Word::Receivers)? {
            return Err(Trouble::Gone);
        }
        turn.publish(record);
        Ok(())
    }

    /// Whether the other side is gone, before a letter is put. Asking the system takes longer than
    /// the rest of a put, so it is asked when somebody has parted, and now and then: who dies says
    /// nothing.
    fn finds_nobody(&self) -> io::Result<bool> {
        let partings = self.log.front().partings();
        // ORDERING: Relaxed, here and below: two numbers of this end alone, and a look too many or
        // too late is no harm.
        let is_news = self.partings.swap(partings, Ordering::Relaxed) != partings;
        let sends = self.sends.fetch_add(1, Ordering::Relaxed);
        let is_gone = (is_news || sends % LOOK_EVERY == 0) && self.chime.has_hung_up()?;
        if is_gone {
            // It stays so; the next send finds it again.
            // ORDERING: as above.
            self.sends.store(0, Ordering::Relaxed);
        }
        Ok(is_gone)
    }

    /// Gets the first letter, waiting until `deadline` for one.
    pub(super) fn get(&self, deadline: Option<Instant>) -> Result<Letter, Trouble> {
        wait_for(
            &mut (),
            deadline,
            |()| settled(self.get_if_any(Patience::None)),
            |()| {
                look_for(deadline, || !self.log.is_empty());
                self.wait(deadline, |patience| self.get_if_any(patience))
            },
        )
    }

    /// Gets the first letter if there is one.
    pub(super) fn try_get(&self) -> Result<Letter, Trouble> {
        match self.get_if_any(Patience::None) {
            // What was sent before the other side went is there now.
            Err(Trouble::NotNow) if self.chime.has_hung_up()? => {
                gone(self.get_in_turn(Patience::None))
            }
            result => result,
        }
    }

    /// Waits until there is a letter or nobody to put one, or until `deadline`. False: neither.
    pub(super) fn wait_until_ready(&self, deadline: Option<Instant>) -> bool {
        let is_ready = || if self.log.is_empty() { Err(Trouble::NotNow) } else { Ok(true) };
        wait_for(
            &mut (),
            deadline,
            |()| settled(is_ready()),
            |()| {
                let in_turn = |patience| {
                    let mut turn = self.log.turn()?;
                    is_ready().inspect_err(|_| self.call(&mut turn, Word::Receivers, patience))
                };
                self.wait(deadline, in_turn)
            },
        )
        // Any other trouble is met when the letter is asked for.
        .unwrap_or_else(|trouble| !matches!(trouble, Trouble::NotNow))
    }

    /// Looks before it takes a turn, so that looking is cheap.
    fn get_if_any(&self, patience: Patience) -> Result<Letter, Trouble> {
        if patience == Patience::None && self.log.is_empty() {
            return Err(Trouble::NotNow);
        }
        self.get_in_turn(patience)
    }

    fn get_in_turn(&self, patience: Patience) -> Result<Letter, Trouble> {
        let mut letter = Letter::blank();
        let mut turn = self.log.turn()?;
        let Some(record) = turn.read(&mut letter.bytes)? else {
            if patience != Patience::None && turn.has_stale_files() {
                self.carrier.clear()?;
            }
            self.call(&mut turn, Word::Receivers, patience);
            return Err(Trouble::NotNow);
        };
        // Senders that are gone need no room.
        self.ring(&mut turn, Word::Senders)?;
        turn.take(record);
        if record.files > 0 {
            letter.files = self.carrier.unload(record.ticket)?.unwrap_or_default();
            if letter.files.len() as u64 != record.files {
                return Err(Trouble::Failed(Failure::Missing));
            }
        }
        Ok(letter)
    }

    /// Rings `side` if it calls; false: it is gone.
    fn ring(&self, turn: &mut Turn<'_>, side: Word) -> io::Result<bool> {
        if turn.call(side) != Call::Ring {
            return Ok(true);
        }
        let is_there = self.chime.ring()?;
        turn.set_call(side, Call::Rung);
        Ok(is_there)
    }

    /// Has the next news of `side`, which is this one, rung, if anybody will listen.
    fn call(&self, turn: &mut Turn<'_>, side: Word, patience: Patience) {
        if patience == Patience::None {
            return;
        }
        if patience == Patience::Again || turn.call(side) == Call::Rung {
            self.chime.silence();
        }
        turn.set_call(side, Call::Ring);
    }

    /// Repeats `attempt` whenever there is news, until it settles, or until `deadline`.
    fn wait<R>(
        &self,
        deadline: Option<Instant>,
        attempt: impl Fn(Patience) -> Result<R, Trouble>,
    ) -> Result<R, Trouble> {
        let mut patience = Patience::First;
        loop {
            let heard = match attempt(patience) {
                Err(Trouble::NotNow) => self.chime.listen(deadline)?,
                Err(Trouble::Crowded) => self.carrier.wait_for_room(deadline)?,
                settled => return settled,
            };
            match heard {
                Heard::Ring => patience = Patience::Again,
                Heard::HangUp => return gone(attempt(Patience::None)),
                Heard::Nothing => return Err(Trouble::NotNow),
            }
        }
    }
}

/// Looks for news for a short while, if there is a core for somebody who makes some.
fn look_for(deadline: Option<Instant>, is_there: impl Fn() -> bool) {
    static IS_ALONE: LazyLock<bool> = LazyLock::new(|| num_cpus::get() < 2);
    if *IS_ALONE {
        return;
    }
    let end = Instant::now() + SPIN;
    let end = deadline.map_or(end, |deadline| deadline.min(end));
    while !is_there() && Instant::now() < end {
        spin_loop();
    }
}

/// What came of an attempt, if more than that it is too early.
fn settled<R>(result: Result<R, Trouble>) -> Option<Result<R, Trouble>> {
    (!matches!(result, Err(Trouble::NotNow | Trouble::Crowded))).then_some(result)
}

/// What came of an attempt after the other side has gone: it will never be better.
fn gone<R>(result: Result<R, Trouble>) -> Result<R, Trouble> {
    settled(result).unwrap_or(Err(Trouble::Gone))
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::mem::ManuallyDrop;
    use std::thread;
    use std::time::Duration;

    use super::super::super::sys::OpenFile;
    use super::*;

    fn letter(text: &str) -> Letter {
        Letter { bytes: text.as_bytes().to_vec(), files: Vec::new() }
    }

    fn with_file(text: &str) -> Letter {
        let file: OpenFile = std::fs::File::open("/dev/null").unwrap().into();
        Letter { bytes: text.as_bytes().to_vec(), files: vec![file] }
    }

    fn text(got: Result<Letter, Trouble>) -> String {
        String::from_utf8(got.unwrap().bytes.clone()).unwrap()
    }

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(5))
    }

    /// Another holder of the same side.
    fn copy_of(end: &End) -> End {
        End::new(
            Chime::of_file(end.chime.to_file().unwrap()),
            Carrier::of_file(end.carrier.to_file().unwrap()),
            Log::of_file(end.log.to_file().unwrap()).unwrap(),
        )
    }

    /// Another holder of the same side takes a turn, and dies in it after these steps.
    fn die_after(end: &End, steps: impl FnOnce(&End, &mut Turn<'_>) + Send) {
        let copy = copy_of(end);
        thread::scope(|s| {
            s.spawn(move || {
                // What it has of the memory stays, as long as the system looks at it.
                let log = Log::of_file(copy.log.to_file().unwrap()).unwrap();
                let log = ManuallyDrop::new(log);
                let mut turn = log.turn().unwrap();
                steps(&copy, &mut turn);
                // The system sees a thread end that holds the lock, as if its process had died.
                std::mem::forget(turn);
            });
        });
    }

    #[test]
    fn letters_are_got_as_they_were_put() {
        let (senders, receivers) = End::pair(0).unwrap();
        assert!(matches!(receivers.try_get(), Err(Trouble::NotNow)));
        assert!(matches!(receivers.get(soon()), Err(Trouble::NotNow)));
        for i in 0..100 {
            senders.try_put(&letter(&i.to_string())).unwrap();
        }
        drop(senders);
        for i in 0..100 {
            assert_eq!(text(receivers.get(None)), i.to_string());
        }
        assert!(matches!(receivers.get(None), Err(Trouble::Gone)));
        assert!(matches!(receivers.try_get(), Err(Trouble::Gone)));
    }

    #[test]
    fn a_full_channel_takes_more_when_one_is_got() {
        let (senders, receivers) = End::pair(2).unwrap();
        senders.try_put(&letter("1")).unwrap();
        senders.put(&letter("2"), soon()).unwrap();
        assert!(matches!(senders.try_put(&letter("3")), Err(Trouble::NotNow)));
        assert!(matches!(senders.put(&letter("3"), soon()), Err(Trouble::NotNow)));
        thread::scope(|s| {
            let putting = s.spawn(|| senders.put(&letter("3"), None));
            assert_eq!(text(receivers.get(None)), "1");
            putting.join().unwrap().unwrap();
        });
        assert_eq!(text(receivers.get(None)), "2");
        assert_eq!(text(receivers.get(None)), "3");
    }

    #[test]
    fn whoever_waits_hears_that_the_other_side_is_gone() {
        let (senders, receivers) = End::pair(1).unwrap();
        senders.try_put(&letter("1")).unwrap();
        thread::scope(|s| {
            let putting: Vec<_> =
                (0..3).map(|_| s.spawn(|| senders.put(&letter("2"), None))).collect();
            drop(receivers);
            for putting in putting {
                assert!(matches!(putting.join().unwrap(), Err(Trouble::Gone)));
            }
        });
        let (senders, receivers) = End::pair(1).unwrap();
        thread::scope(|s| {
            let getting: Vec<_> = (0..3).map(|_| s.spawn(|| receivers.get(None))).collect();
            drop(senders);
            for getting in getting {
                assert!(matches!(getting.join().unwrap(), Err(Trouble::Gone)));
            }
        });
    }

    #[test]
    fn files_arrive_with_their_letters() {
        let (senders, receivers) = End::pair(0).unwrap();
        senders.try_put(&with_file("1")).unwrap();
        senders.try_put(&letter("2")).unwrap();
        senders.try_put(&with_file("3")).unwrap();
        drop(senders);
        for (name, count) in [("1", 1), ("2", 0), ("3", 1)] {
            let got = receivers.get(None).unwrap();
            assert_eq!((&*got.bytes, got.files.len()), (name.as_bytes(), count));
        }
    }

    #[test]
    fn files_of_dead_senders_and_receivers_go_to_nobody() {
        let (senders, receivers) = End::pair(0).unwrap();
        die_after(&senders, |end, turn| {
            let (letter, ticket) = (with_file("dead"), turn.ticket());
            turn.write(&letter.bytes, 1, ticket).unwrap();
            assert_eq!(end.carrier.load(ticket, &letter.files).unwrap(), Loaded::Yes);
        });
        senders.try_put(&with_file("taken")).unwrap();
        senders.try_put(&with_file("1")).unwrap();
        die_after(&receivers, |_, turn| {
            let record = turn.read(&mut Vec::new()).unwrap().unwrap();
            turn.take(record);
        });
        let got = receivers.get(None).unwrap();
        assert_eq!((&*got.bytes, got.files.len()), (&b"1"[..], 1));
        assert!(matches!(receivers.try_get(), Err(Trouble::NotNow)));
    }

    #[test]
    fn stale_files_do_not_fill_the_carrier() {
        let (senders, receivers) = End::pair(0).unwrap();
        let load = || {
            let ticket = senders.log.turn().unwrap().ticket();
            senders.carrier.load(ticket, &with_file("dead").files).unwrap()
        };
        while load() == Loaded::Yes {}
        assert!(matches!(senders.try_put(&with_file("1")), Err(Trouble::Crowded)));
        thread::scope(|s| {
            let putting = s.spawn(|| senders.put(&with_file("1"), None));
            assert_eq!(receivers.get(None).unwrap().files.len(), 1);
            putting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_file_that_does_not_come_costs_its_letter_only() {
        let (senders, receivers) = End::pair(0).unwrap();
        senders.try_put(&with_file("1")).unwrap();
        senders.try_put(&letter("2")).unwrap();
        receivers.carrier.clear().unwrap();
        assert!(matches!(receivers.get(None), Err(Trouble::Failed(Failure::Missing))));
        assert_eq!(text(receivers.get(None)), "2");
    }

    #[test]
    fn nobody_sleeps_through_the_death_of_a_sender() {
        for steps in 0..4 {
            let (senders, receivers) = End::pair(0).unwrap();
            thread::scope(|s| {
                let getting = s.spawn(|| receivers.get(None));
                // Until it listens.
                while senders.log.turn().unwrap().call(Word::Receivers) != Call::Ring {
                    thread::yield_now();
                }
                die_after(&senders, |end, turn| {
                    let record = turn.write(b"dead", 0, 0).unwrap();
                    if steps > 0 {
                        assert!(end.chime.ring().unwrap());
                    }
                    if steps > 1 {
                        turn.set_call(Word::Receivers, Call::Rung);
                    }
                    if steps > 2 {
                        turn.publish(record);
                    }
                });
                if steps < 3 {
                    senders.put(&letter("alive"), None).unwrap();
                }
                let expected = if steps < 3 { "alive" } else { "dead" };
                assert_eq!(text(getting.join().unwrap()), expected);
            });
        }
    }

    #[test]
    fn nobody_sleeps_through_the_death_of_a_receiver() {
        for steps in 0..4 {
            let (senders, receivers) = End::pair(1).unwrap();
            senders.try_put(&letter("1")).unwrap();
            thread::scope(|s| {
                let putting = s.spawn(|| senders.put(&letter("2"), None));
                while senders.log.turn().unwrap().call(Word::Senders) != Call::Ring {
                    thread::yield_now();
                }
                die_after(&receivers, |end, turn| {
                    let record = turn.read(&mut Vec::new()).unwrap().unwrap();
                    if steps > 0 {
                        assert!(end.chime.ring().unwrap());
                    }
                    if steps > 1 {
                        turn.set_call(Word::Senders, Call::Rung);
                    }
                    if steps > 2 {
                        turn.take(record);
                    }
                });
                if steps < 3 {
                    assert_eq!(text(receivers.get(None)), "1");
                }
                putting.join().unwrap().unwrap();
                assert_eq!(text(receivers.get(None)), "2");
            });
        }
    }

    #[test]
    fn a_receiver_that_dies_silencing_its_bell_leaves_the_next_one_awake() {
        for has_silenced in [false, true] {
            let (senders, receivers) = End::pair(0).unwrap();
            senders.try_put(&letter("1")).unwrap();
            assert!(senders.chime.ring().unwrap());
            senders.log.turn().unwrap().set_call(Word::Receivers, Call::Rung);
            assert_eq!(text(receivers.get(None)), "1");
            die_after(&receivers, |end, _| {
                if has_silenced {
                    end.chime.silence();
                }
            });
            thread::scope(|s| {
                let getting = s.spawn(|| receivers.get(None));
                senders.put(&letter("2"), None).unwrap();
                assert_eq!(text(getting.join().unwrap()), "2");
            });
        }
    }

    #[test]
    fn waiting_burns_no_time_of_the_processor() {
        let (senders, receivers) = End::pair(0).unwrap();
        // A ring without news.
        senders.chime.ring().unwrap();
        let before = time_used();
        let deadline = Instant::now() + Duration::from_millis(200);
        assert!(matches!(receivers.get(Some(deadline)), Err(Trouble::NotNow)));
        assert!(time_used() - before < Duration::from_millis(20));
    }

    /// How long this thread has run.
    fn time_used() -> Duration {
        let time = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(time.split(' ').next().unwrap().parse().unwrap())
    }

    #[test]
    fn many_holders_lose_and_double_nothing() {
        for capacity in [0, 1, 3] {
            let (sender, receiver) = End::pair(capacity).unwrap();
            let senders: Vec<End> = (0..3).map(|_| copy_of(&sender)).collect();
            let receivers: Vec<End> = (0..3).map(|_| copy_of(&receiver)).collect();
            drop((sender, receiver));
            let mut all: Vec<String> = thread::scope(|s| {
                for (i, sender) in senders.into_iter().enumerate() {
                    s.spawn(move || {
                        (0..1000).for_each(|n| {
                            sender.put(&letter(&format!("{i} {n:04}")), None).unwrap();
                        });
                    });
                }
                let getting: Vec<_> = receivers
                    .into_iter()
                    .map(|receiver| {
                        s.spawn(move || {
                            let got = std::iter::from_fn(|| receiver.get(None).ok());
                            let got: Vec<String> = got.map(|letter| text(Ok(letter))).collect();
                            for i in ["0", "1", "2"] {
                                assert!(got.iter().filter(|text| text.starts_with(i)).is_sorted());
                            }
                            got
                        })
                    })
                    .collect();
                getting.into_iter().flat_map(|getting| getting.join().unwrap()).collect()
            });
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 3000);
        }
    }
}
