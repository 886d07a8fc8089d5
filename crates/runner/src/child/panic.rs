//! Catches a panic with its message, its place and its stack.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};

use super::protocol::Finished;
use super::{line, memory};
use crate::outcome::Outcome;

thread_local! {
    // A hook gets the place but not the caller; the catcher gets the payload but not the place.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

struct Place {
    location: Option<String>,
    backtrace: String,
}

impl Place {
    /// The line to look at. Within the standard library that is not where it was noticed, but the
    /// line of the subtest that led there.
    fn told_of(&self, subtest: &str) -> Option<String> {
        let noticed = self.location.as_deref();
        match noticed.filter(|place| !place.starts_with("/rustc/")) {
            Some(place) => Some(place.to_owned()),
            None => line::find(&self.backtrace, subtest).or(noticed).map(str::to_owned),
        }
    }
}

/// Runs `body`; a panic in it is a FAIL, as is any error of a subtest that nobody caught.
/// `subtest` is its name.
pub(super) fn catch<T>(subtest: &str, body: impl FnOnce() -> T) -> Result<T, Box<Finished>> {
    let previous = take_hook();
    set_hook(Box::new(move |info| {
        memory::without_limit(|| {
            remember(info);
            // It writes to standard error, where a person may look for it.
            previous(info);
        });
    }));
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        let place = PLACE.take();
        let (location, backtrace) =
            place.map_or((None, None), |place| (place.told_of(subtest), Some(place.backtrace)));
        Box::new(Finished {
            kind: Some("panic".into()),
            location,
            backtrace,
            ..Finished::new(Outcome::Fail, format!("the subtest panicked: {}", words(&*payload)))
        })
    })
}

fn remember(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string);
    let backtrace = Backtrace::force_capture().to_string();
    PLACE.set(Some(Place { location, backtrace }));
}

fn words(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
