//! The terminal as the lines that change are drawn on it: one write for each frame, no line wider
//! than the terminal, and nothing cleared that is written again at once.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressDrawTarget, TermLike};

/// How often a second the lines may be drawn.
const HZ: u8 = 20;

/// A terminal for lines that change.
///
/// What draws them fills each line with blanks and lets the terminal wrap it, so that a window that
/// is made narrower wraps them again, to rests that nobody takes away. Here lines end where their
/// text does.
pub(super) struct Screen<W, S> {
    out: Mutex<Frame<W>>,
    /// Its lines and columns now.
    size: S,
}

struct Frame<W> {
    out: W,
    /// What is not written yet.
    text: String,
    /// Whether a line of this frame was drawn, and the next one needs a row of its own.
    drawn: bool,
}

/// Standard error.
pub(super) fn stderr() -> ProgressDrawTarget {
    let size = || match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => (size.ws_row, size.ws_col),
        // A terminal that does not know is taken for what they all once were.
        _ => (24, 80),
    };
    Screen::target(io::stderr(), size)
}

impl<W, S> Screen<W, S>
where
    W: Write + Send + 'static,
    S: Fn() -> (u16, u16) + Send + Sync + 'static,
{
    /// A place to draw on: `out` is a terminal with as many lines and columns as `size` says.
    pub(super) fn target(out: W, size: S) -> ProgressDrawTarget {
        let frame = Frame { out, text: String::new(), drawn: false };
        let screen = Self { out: Mutex::new(frame), size };
        ProgressDrawTarget::term_like_with_hz(Box::new(screen), HZ)
    }

    fn frame(&self) -> MutexGuard<'_, Frame<W>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, text: &str) {
        self.frame().text.push_str(text);
    }

    fn go(&self, by: usize, way: char) {
        if by > 0 {
            self.add(&format!("\x1b[{by}{way}"));
        }
    }
}

impl<W, S> TermLike for Screen<W, S>
where
    W: Write + Send + 'static,
    S: Fn() -> (u16, u16) + Send + Sync + 'static,
{
    fn width(&self) -> u16 {
        // In the last column the cursor is neither on this line nor on the next.
        (self.size)().1.saturating_sub(1).max(1)
    }

    fn height(&self) -> u16 {
        (self.size)().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(text);
        self.add("\r\n");
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut frame = self.frame();
        if text == "\r" {
            frame.text.push('\r');
        } else if text.bytes().any(|byte| byte != b' ') {
            if std::mem::replace(&mut frame.drawn, true) {
                frame.text.push_str("\r\n");
            }
            frame.text.push_str(text);
            frame.text.push_str("\x1b[K");
        }
        // What is left are the blanks that fill a line.
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut frame = self.frame();
        if std::mem::take(&mut frame.drawn) {
            // There may have been more lines than there are now.
            frame.text.push_str("\x1b[J");
        }
        let text = std::mem::take(&mut frame.text);
        // Who draws takes an error for the end of the world, and a terminal may be gone at any time.
        let out = &mut frame.out;
        let _: io::Result<()> = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        Ok(())
    }
}

impl<W, S> fmt::Debug for Screen<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}
