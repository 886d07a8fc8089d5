//! Screens of machines: pictures that are read with suspicion, and the animated picture that is
//! made of many.

mod animation;
mod picture;
mod png;
mod ppm;
#[cfg(test)]
mod tests;

pub use animation::{Frame, animate};
pub use picture::Picture;
