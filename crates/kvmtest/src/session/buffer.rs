//! What was read and not yet consumed, with a limit.

/// How many bytes a [`Session`](super::Session) keeps for matching unless told otherwise. Of a
/// longer output the beginning is dropped, and is found in the log only.
pub const BUFFER_LIMIT: usize = 8 << 20;

/// How far back a match may begin before the bytes that came last.
///
/// Output is matched as it comes, and only this much of what was searched before is looked at
/// again: a match that is longer may be missed when it arrives in several pieces.
pub const OVERLAP: usize = 4096;

/// A queue of bytes that forgets its front when it grows past its limit.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where the unread part begins in `bytes`.
    start: usize,
    /// How many bytes came before the unread part, since ever.
    offset: u64,
    dropped: u64,
    limit: usize,
}

impl Buffer {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, offset: 0, dropped: 0, limit: limit.max(2 * OVERLAP) }
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.max(2 * OVERLAP);
    }

    /// What was read and not yet consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// The end of what was read, at most `length` bytes of it.
    pub(super) fn tail(&self, length: usize) -> &[u8] {
        let unread = self.unread();
        &unread[unread.len().saturating_sub(length)..]
    }

    /// The position of the first unread byte, counted from the first byte ever.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The position behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.unread().len() as u64
    }

    /// How many bytes were dropped since something was consumed last.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        let unread = self.unread().len();
        // A quarter of slack, so that the copying is paid for by what came in between.
        if unread > self.limit + self.limit / 4 {
            let excess = unread - self.limit;
            self.skip(excess);
            self.dropped += excess as u64;
        }
    }

    /// Takes the first `length` bytes out.
    pub(super) fn consume(&mut self, length: usize) -> Vec<u8> {
        let taken = self.unread()[..length].to_vec();
        self.skip(length);
        self.dropped = 0;
        taken
    }

    fn skip(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
        // Moving only what is less than what is forgotten keeps many small reads linear.
        if self.start >= self.bytes.len() / 2 || self.start > self.limit / 8 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_and_counts_what_it_drops() {
        let mut buffer = Buffer::new(2 * OVERLAP);
        for round in 0..100u8 {
            buffer.push(&[round; 1000]);
            assert!(buffer.bytes.len() <= 4 * OVERLAP, "{}", buffer.bytes.len());
        }
        assert!(buffer.unread().len() >= 2 * OVERLAP);
        assert_eq!(buffer.dropped() + buffer.unread().len() as u64, 100_000);
        assert_eq!(buffer.offset(), buffer.dropped());
        assert_eq!(buffer.end(), 100_000);
        assert_eq!(buffer.unread().last(), Some(&99));
    }

    #[test]
    fn consuming_keeps_positions() {
        let mut buffer = Buffer::new(1 << 20);
        buffer.push(b"one two three");
        assert_eq!(buffer.consume(4), b"one ");
        assert_eq!(buffer.offset(), 4);
        assert_eq!(buffer.consume(4), b"two ");
        assert_eq!(buffer.unread(), b"three");
        assert_eq!(buffer.tail(2), b"ee");
        assert_eq!(buffer.end(), 13);
    }
}
