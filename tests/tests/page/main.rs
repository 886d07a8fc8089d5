//! `kvmtest report`: reports made again from the events, and the page in a real browser.

mod again;
mod browser;
mod hostile;
mod large;
mod record;
