//! A holder's turn at the log: the steps of which sending and receiving consist.
//!
//! Each step leaves the log such that the holder may die behind it; see [`log`](super::log).

use std::ops::Range;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicU64;

use super::super::sys::{Mapping, Passage};
use super::area::{Area, FIRST};
use super::failure::Failure;
use super::front::{Call, Word};
use super::log::Log;
use crate::sync::Ordering;

/// The turn. Nobody else touches the log meanwhile.
pub(super) struct Turn<'a> {
    log: &'a Log,
    // Released first.
    passage: Passage<'a>,
    areas: MutexGuard<'a, Mapping>,
}

/// A record that is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// How many files travel with it.
    pub(super) files: u64,
    /// Their ticket, if there are any.
    pub(super) ticket: u64,
    /// Where the next one begins.
    end: u64,
}

/// Length, files and ticket, of eight bytes each.
const HEADING: u64 = 24;
/// An area longer than this is given back when it is empty.
const KEPT: u64 = 4 << 20;

impl<'a> Turn<'a> {
    /// Begins the turn, now that the log is locked in this process and in all.
    pub(super) fn begin(
        log: &'a Log,
        areas: MutexGuard<'a, Mapping>,
        passage: Passage<'a>,
    ) -> Result<Self, Failure> {
        let mut turn = Self { log, passage, areas };
        if turn.passage.is_inherited() {
            let recovered = turn.recover();
            // Even if it makes no sense: whoever comes next says so as well.
            turn.passage.settle()?;
            recovered?;
        }
        Ok(turn)
    }

    /// Writes a record behind the head, where it does not count yet.
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        files: usize,
        ticket: u64,
    ) -> Result<Record, Failure> {
        let files = files as u64;
        let length = HEADING + (bytes.len() as u64).next_multiple_of(8);
        self.make_room(length)?;
        let (head, area) = (self.log.front().get(Word::Head), self.area()?);
        for (i, word) in [bytes.len() as u64, files, ticket].into_iter().enumerate() {
            // ORDERING: Relaxed: it counts when the head is moved, which is Release.
            self.word(area, head.wrapping_add(8 * i as u64)).store(word, Ordering::Relaxed);
        }
        self.copy_in(area, head.wrapping_add(HEADING), bytes);
        Ok(Record { files, ticket, end: head.wrapping_add(length) })
    }

    /// Makes the record count that was written in this turn.
    pub(super) fn publish(&mut self, record: Record) {
        let front = self.log.front();
        front.set(Word::Head, record.end);
        front.set(Word::Count, front.get(Word::Count).wrapping_add(1));
    }

    /// Appends the bytes of the first record to `bytes`; `None`: there is none.
    pub(super) fn read(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Record>, Failure> {
        let front = self.log.front();
        let (head, tail) = (front.get(Word::Head), front.get(Word::Tail));
        if self.used()? == 0 {
            return Ok(None);
        }
        let area = self.area()?;
        self.reach(area)?;
        let (length, record) = self.heading(area, tail, head)?;
        for piece in area.pieces(tail.wrapping_add(HEADING), length) {
            self.areas.read(piece.start as usize, (piece.end - piece.start) as usize, bytes);
        }
        Ok(Some(record))
    }

    /// Makes the first record count no more.
    pub(super) fn take(&mut self, record: Record) {
        let front = self.log.front();
        front.set(Word::Tail, record.end);
        front.set(Word::Count, front.get(Word::Count).saturating_sub(1));
        if record.end == front.get(Word::Head) {
            self.shrink();
        }
    }

    /// Whether the channel takes no more messages.
    pub(super) fn is_full(&self) -> bool {
        self.log.is_full()
    }

    /// A ticket for files that are sent in this turn.
    pub(super) fn ticket(&mut self) -> u64 {
        let front = self.log.front();
        let ticket = front.get(Word::Tickets).wrapping_add(1);
        front.set(Word::Tickets, ticket);
        ticket
    }

    /// Of an empty log: whether files may be on their way, whose messages are not. Says so once.
    pub(super) fn has_stale_files(&mut self) -> bool {
        let front = self.log.front();
        let tickets = front.get(Word::Tickets);
        let may_have = front.get(Word::Cleared) != tickets;
        front.set(Word::Cleared, tickets);
        may_have
    }

    pub(super) fn call(&self, side: Word) -> Call {
        self.log.front().call(side)
    }

    pub(super) fn set_call(&mut self, side: Word, call: Call) {
        self.log.front().set_call(side, call);
    }

    /// Puts right what a holder has left that died in its turn.
    fn recover(&mut self) -> Result<(), Failure> {
        let front = self.log.front();
        // It may have rung and not said so, or silenced a chime and not said so.
        front.set_call(Word::Receivers, Call::Ring);
        front.set_call(Word::Senders, Call::Ring);
        let mut count = 0;
        if self.used()? > 0 {
            let area = self.area()?;
            self.reach(area)?;
            let (mut at, head) = (front.get(Word::Tail), front.get(Word::Head));
            while at != head {
                at = self.heading(area, at, head)?.1.end;
                count += 1;
            }
        }
        front.set(Word::Count, count);
        Ok(())
    }

    /// How many bytes of records there are.
    fn used(&self) -> Result<u64, Failure> {
        let front = self.log.front();
        let used = front.get(Word::Head).wrapping_sub(front.get(Word::Tail));
        let is_sane =
            used <= self.area()?.length() && used % 8 == 0 && front.get(Word::Tail) % 8 == 0;
        if is_sane { Ok(used) } else { Err(Failure::Nonsense) }
    }

    fn area(&self) -> Result<Area, Failure> {
        Area::of_number(self.log.front().get(Word::Area)).ok_or(Failure::Nonsense)
    }

    /// The length of the bytes of the record at `at`, and the record. It ends before `head`.
    fn heading(&self, area: Area, at: u64, head: u64) -> Result<(u64, Record), Failure> {
        let rest = head.wrapping_sub(at);
        let [length, files, ticket] = [0, 8, 16].map(|offset| {
            // ORDERING: Relaxed: the lock orders what was written in another turn.
            self.word(area, at.wrapping_add(offset)).load(Ordering::Relaxed)
        });
        let room = rest.checked_sub(HEADING).ok_or(Failure::Nonsense)?;
        if length > room {
            return Err(Failure::Nonsense);
        }
        let end = at.wrapping_add(HEADING + length.next_multiple_of(8));
        Ok((length, Record { files, ticket, end }))
    }

    /// The word at `position`, which is a multiple of its size.
    fn word(&self, area: Area, position: u64) -> &AtomicU64 {
        let [Range { start, .. }, _] = area.pieces(position, 8);
        self.areas.word(start as usize)
    }

    fn copy_in(&self, area: Area, position: u64, bytes: &[u8]) {
        let [first, rest] = area.pieces(position, bytes.len() as u64);
        let (one, other) = bytes.split_at((first.end - first.start) as usize);
        self.areas.write(first.start as usize, one);
        self.areas.write(rest.start as usize, other);
    }

    /// Has the areas mapped, up to this one.
    fn reach(&mut self, area: Area) -> Result<(), Failure> {
        let end = usize::try_from(area.span().end).map_err(|_| Failure::Nonsense)?;
        if end > self.areas.len() {
            *self.areas = self.log.tape().map(end)?;
        }
        Ok(())
    }

    /// Moves the log to an area where there is room for so many bytes more.
    fn make_room(&mut self, bytes: u64) -> Result<(), Failure> {
        let (used, old) = (self.used()?, self.area()?);
        self.reach(old)?;
        let needed = used.saturating_add(bytes);
        if needed <= old.length() {
            return Ok(());
        }
        let new = Area::with_room(needed).ok_or(Failure::Long)?;
        self.log.tape().reserve(new.span())?;
        self.reach(new)?;
        let tail = self.log.front().get(Word::Tail);
        let mut done = 0;
        while done < used {
            // What is in one piece in the old area is so in the new one, which is a multiple.
            let from = old.pieces(tail.wrapping_add(done), used - done)[0].clone();
            let length = from.end - from.start;
            let to = new.pieces(tail.wrapping_add(done), length)[0].start;
            self.areas.copy(from.start as usize, to as usize, length as usize);
            done += length;
        }
        self.log.front().set(Word::Area, new.number());
        self.give_back(old);
        Ok(())
    }

    /// Moves an empty log back to the first area if it is in a long one.
    fn shrink(&mut self) {
        if let Ok(area) = self.area() {
            if area.length() > KEPT {
                self.log.front().set(Word::Area, FIRST.number());
                self.give_back(area);
            }
        }
    }

    fn give_back(&self, area: Area) {
        if area != FIRST {
            // What is not given back now is used again, or goes with the channel.
            let _ = self.log.tape().release(area.span());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem;
    use std::thread;

    use super::super::area::FRONT;
    use super::*;

    fn log() -> Log {
        Log::new(0).unwrap()
    }

    /// The same log in another holder's hands.
    fn copy_of(log: &Log) -> Log {
        Log::of_file(log.to_file().unwrap()).unwrap()
    }

    fn send(log: &Log, bytes: &[u8]) {
        let mut turn = log.turn().unwrap();
        let record = turn.write(bytes, 0, 0).unwrap();
        turn.publish(record);
    }

    fn receive(log: &Log) -> Option<Vec<u8>> {
        let (mut turn, mut bytes) = (log.turn().unwrap(), Vec::new());
        let record = turn.read(&mut bytes).unwrap()?;
        turn.take(record);
        Some(bytes)
    }

    /// Another holder takes a turn, and dies in it after these steps.
    fn die_after(log: &Log, steps: impl FnOnce(&mut Turn<'_>) + Send) {
        let copy = copy_of(log);
        thread::scope(|s| {
            s.spawn(|| {
                let copy = mem::ManuallyDrop::new(copy);
                let mut turn = copy.turn().unwrap();
                steps(&mut turn);
                // The system sees a thread end that holds the lock, as if its process had died.
                mem::forget(turn);
            });
        });
    }

    #[test]
    fn messages_come_out_in_order_in_any_holders_hands() {
        let (one, mut expected) = (log(), Vec::new());
        let other = copy_of(&one);
        for i in 0..1000_u32 {
            let bytes = vec![i as u8; i as usize % 97];
            send(if i % 2 == 0 { &one } else { &other }, &bytes);
            expected.push(bytes);
            assert_eq!(one.len(), u64::from(i) + 1);
        }
        for bytes in expected {
            assert_eq!(receive(&other), Some(bytes));
        }
        assert_eq!(receive(&one), None);
        assert!(one.is_empty());
    }

    #[test]
    fn it_goes_round_and_grows_and_shrinks() {
        let (one, mut state) = (log(), 1_u64);
        let (other, mut waiting) = (copy_of(&one), std::collections::VecDeque::new());
        for round in 0..4000_u64 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let length = (state >> 33) as usize % if round % 500 < 10 { 400_000 } else { 3000 };
            let bytes = vec![state as u8; length];
            send(&one, &bytes);
            waiting.push_back(bytes);
            while waiting.len() > (round / 10 % 20) as usize {
                assert_eq!(receive(&other), waiting.pop_front());
            }
        }
        while let Some(bytes) = waiting.pop_front() {
            assert_eq!(receive(&one), Some(bytes));
        }
        assert_eq!(one.turn().unwrap().used().unwrap(), 0);
    }

    #[test]
    fn a_long_log_is_given_back_when_it_is_empty() {
        let log = log();
        let bytes = vec![7; 3 << 20];
        (0..4).for_each(|_| send(&log, &bytes));
        assert!(log.front().get(Word::Area) > 0);
        (0..4).for_each(|_| assert!(receive(&log).is_some_and(|received| received == bytes)));
        assert_eq!(log.front().get(Word::Area), 0);
        send(&log, b"more");
        assert_eq!(receive(&log).unwrap(), b"more");
    }

    #[test]
    fn what_is_too_long_is_refused() {
        // Nobody has so many bytes; only the room is asked for.
        let log = log();
        assert_eq!(log.turn().unwrap().make_room(1 << 62), Err(Failure::Long));
        assert_eq!(log.turn().unwrap().make_room(u64::MAX), Err(Failure::Long));
        send(&log, b"short");
        assert_eq!(receive(&log).unwrap(), b"short");
    }

    #[test]
    fn positions_may_wrap() {
        let log = log();
        for word in [Word::Head, Word::Tail] {
            log.front().set(word, u64::MAX - 39);
        }
        for round in 0..100 {
            send(&log, &[round; 20]);
            send(&log, &[round; 30]);
            assert_eq!(receive(&log).unwrap(), [round; 20]);
            assert_eq!(receive(&log).unwrap(), [round; 30]);
        }
    }

    #[test]
    fn a_sender_that_dies_before_it_publishes_has_sent_nothing() {
        let log = log();
        send(&log, b"first");
        die_after(&log, |_| {});
        die_after(&log, |turn| drop(turn.write(b"half", 0, 0)));
        die_after(&log, |turn| {
            turn.ticket();
            turn.write(b"half", 1, 1).unwrap();
        });
        die_after(&log, |turn| drop(turn.write(&vec![1; 1 << 20], 0, 0)));
        assert_eq!(log.turn().unwrap().used().unwrap(), 32);
        send(&log, b"second");
        assert_eq!(receive(&log).unwrap(), b"first");
        assert_eq!(receive(&log).unwrap(), b"second");
        assert_eq!(receive(&log), None);
    }

    #[test]
    fn a_log_whose_mover_dies_is_whole() {
        let log = log();
        send(&log, &[1; 60_000]);
        die_after(&log, |turn| drop(turn.make_room(60_000)));
        assert_eq!(receive(&log).unwrap(), [1; 60_000]);
        // And before the new area counts.
        send(&log, &[2; 60_000]);
        die_after(&log, |turn| {
            turn.log.tape().reserve(Area::of_number(3).unwrap().span()).unwrap();
        });
        assert_eq!(receive(&log).unwrap(), [2; 60_000]);
    }

    #[test]
    fn messages_are_counted_again_when_a_turn_was_not_ended() {
        let log = log();
        send(&log, b"first");
        let head_only = |turn: &mut Turn<'_>| {
            let record = turn.write(b"second", 0, 0).unwrap();
            turn.log.front().set(Word::Head, record.end);
        };
        die_after(&log, head_only);
        assert_eq!(log.len(), 1);
        drop(log.turn().unwrap());
        assert_eq!(log.len(), 2);
        let tail_only = |turn: &mut Turn<'_>| {
            let record = turn.read(&mut Vec::new()).unwrap().unwrap();
            turn.log.front().set(Word::Tail, record.end);
        };
        die_after(&log, tail_only);
        drop(log.turn().unwrap());
        assert_eq!(log.len(), 1);
        assert_eq!(receive(&log).unwrap(), b"second");
    }

    #[test]
    fn both_sides_are_rung_after_a_death() {
        let log = log();
        for call in [Call::None, Call::Ring, Call::Rung] {
            die_after(&log, |turn| {
                turn.set_call(Word::Receivers, call);
                turn.set_call(Word::Senders, call);
            });
            let turn = log.turn().unwrap();
            assert_eq!(turn.call(Word::Receivers), Call::Ring);
            assert_eq!(turn.call(Word::Senders), Call::Ring);
        }
    }

    #[test]
    fn a_log_that_makes_no_sense_says_so() {
        for (word, value) in [
            (Word::Head, 64 << 20),
            (Word::Head, 7),
            (Word::Tail, 8),
            (Word::Tail, u64::MAX),
            (Word::Area, 23),
            (Word::Area, u64::MAX),
        ] {
            let log = log();
            log.front().set(word, value);
            let mut turn = log.turn().unwrap();
            assert_eq!(turn.read(&mut Vec::new()), Err(Failure::Nonsense), "{word:?} {value}");
        }
        // The first words of a record, and an area that the file does not have.
        let log = log();
        send(&log, b"message");
        for length in [9, 1 << 20, u64::MAX, u64::MAX - 30] {
            log.turn().unwrap().areas.write(FRONT as usize, &u64::to_ne_bytes(length));
            let read = log.turn().unwrap().read(&mut Vec::new());
            assert_eq!(read, Err(Failure::Nonsense), "{length}");
        }
        log.front().set(Word::Area, 20);
        assert_eq!(log.turn().unwrap().read(&mut Vec::new()), Err(Failure::Nonsense));
        assert_eq!(log.turn().unwrap().write(b"", 0, 0), Err(Failure::Nonsense));
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        let (log, mut state) = (log(), 7_u64);
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..20_000 {
            let front = log.front();
            for word in [Word::Head, Word::Tail, Word::Area, Word::Count, Word::Receivers] {
                let value = random();
                front.set(word, value >> [0, 20, 44, 48, 60][random() as usize % 5] & !7);
            }
            front.set(Word::Area, random() % 4 / 3);
            let at = FRONT as usize + random() as usize % 1000;
            let value = random() >> (random() % 64);
            log.turn().unwrap().areas.write(at, &value.to_ne_bytes());
            let _ = log.turn().unwrap().read(&mut Vec::new());
            let _ = log.turn().unwrap().write(b"some bytes", 1, value);
            let _ = log.turn().unwrap().recover();
        }
    }
}
