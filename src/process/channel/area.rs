//! Where the bytes of a log lie: in areas, each twice as long as the one before.
//!
//! ```text
//!   file   │ front │ area 0 │     area 1     │             area 2              │ …
//!                              ▒▒▒▒▒┐   ┌▒▒▒
//!                              a log in it goes round: byte n at n modulo the length
//! ```
//!
//! Positions in a log count the bytes that were ever written. A log that outgrows its area is copied
//! to a longer one, where the same positions lie elsewhere; until all is there, nothing of it counts.

use std::ops::Range;

/// One of the areas, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) struct Area(u64);

/// What lies before the first area.
pub(super) const FRONT: u64 = 4096;
/// The first area.
pub(super) const FIRST: Area = Area(0);
const SHORTEST: u64 = 64 << 10;
/// Of 256 GiB.
const LAST: u64 = 22;

impl Area {
    /// The area of that number, if there is one.
    pub(super) fn of_number(number: u64) -> Option<Self> {
        (number <= LAST).then_some(Self(number))
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }

    /// The shortest area that has room for so many bytes, if there is one.
    pub(super) fn with_room(bytes: u64) -> Option<Self> {
        (0..=LAST).map(Self).find(|area| area.length() >= bytes)
    }

    pub(super) fn length(self) -> u64 {
        SHORTEST << self.0
    }

    /// Its part of the file.
    pub(super) fn span(self) -> Range<u64> {
        let start = FRONT + self.length() - SHORTEST;
        start..start + self.length()
    }

    /// Where `length` bytes from `position` on lie in the file: in two pieces if they go round. The
    /// second is empty otherwise. No more bytes are asked for than the area has.
    pub(super) fn pieces(self, position: u64, length: u64) -> [Range<u64>; 2] {
        let Range { start, end } = self.span();
        let first = start + position % self.length();
        let rest = length.saturating_sub(end - first);
        [first..first + (length - rest), start..start + rest]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_lie_one_behind_the_other() {
        let mut end = FRONT;
        for area in (0..=LAST).filter_map(Area::of_number) {
            assert_eq!(area.span().start, end);
            assert_eq!(area.span().end - end, area.length());
            end = area.span().end;
        }
        assert_eq!(Area::of_number(LAST + 1), None);
        assert_eq!(Area::of_number(u64::MAX), None);
    }

    #[test]
    fn there_is_an_area_for_every_length_up_to_the_last() {
        assert_eq!(Area::with_room(0), Some(FIRST));
        assert_eq!(Area::with_room(SHORTEST), Some(FIRST));
        assert_eq!(Area::with_room(SHORTEST + 1), Some(Area(1)));
        assert_eq!(Area::with_room(SHORTEST << LAST), Some(Area(LAST)));
        assert_eq!(Area::with_room((SHORTEST << LAST) + 1), None);
        assert_eq!(Area::with_room(u64::MAX), None);
    }

    #[test]
    fn what_goes_round_lies_in_two_pieces() {
        let area = Area(1);
        let Range { start, end } = area.span();
        let length = area.length();
        assert_eq!(area.pieces(0, 8), [start..start + 8, start..start]);
        assert_eq!(area.pieces(length - 8, 8), [end - 8..end, start..start]);
        assert_eq!(area.pieces(3 * length - 8, 24), [end - 8..end, start..start + 16]);
        assert_eq!(area.pieces(length + 8, length), [start + 8..end, start..start + 8]);
        assert_eq!(area.pieces(u64::MAX - 7, 16), [end - 8..end, start..start + 8]);
    }
}
