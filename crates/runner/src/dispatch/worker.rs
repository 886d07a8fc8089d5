//! A worker: a stage on a thread of its own, and the dispatcher's desk for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use camino::Utf8PathBuf;
use kvmtest::interrupt::Interrupt;
use kvmtest::{Deadline, Error, ErrorKind, Result, doing};

use super::current::Current;
use super::happening::{Happening, Judged};
use super::visit::{Inside, Visit};
use crate::cause::{Case, Judgement};
use crate::hold::{Held, OnFail};
use crate::outcome::Outcome;
use crate::plan::PlannedTest;
use crate::stage::{Places, Stage};

/// What can run one test at a time.
pub struct Worker {
    /// Prepares and cleans up.
    pub stage: Box<dyn Stage>,
    /// The env file that its tests share.
    pub env: Utf8PathBuf,
}

/// What a stage is told to do.
pub(super) enum Order {
    Prepare(Arc<PlannedTest>, Places),
    /// And whether this try counts if it has failed.
    Clean(Arc<PlannedTest>, Places, Box<Case>, bool),
    /// End the machines that live.
    Clear,
    Close,
}

impl Order {
    /// The number of the test that it is about.
    fn test(&self) -> Option<u32> {
        match self {
            Self::Prepare(test, _) | Self::Clean(test, ..) => Some(test.number),
            Self::Clear | Self::Close => None,
        }
    }
}

/// The dispatcher's side of a worker.
pub(super) struct Desk {
    pub(super) env: Utf8PathBuf,
    pub(super) current: Option<Current>,
    pub(super) state: DeskState,
    /// Ends the waits of this worker's stage.
    pub(super) interrupt: Interrupt,
    orders: Sender<Order>,
}

/// Whether a desk takes tests.
#[derive(Debug, Clone, Copy)]
pub(super) enum DeskState {
    Open,
    /// The stage ends its machines.
    Clearing(Patience),
    /// The stage finishes.
    Closing(Patience),
    Closed,
}

/// How long a stage may take for what belongs to no test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) deadline: Deadline,
    /// Whether its waits were interrupted.
    pub(super) asked: bool,
}

impl Desk {
    /// Starts the worker's thread. It is never waited for: a run that is left at once does not
    /// wait for a stage that hangs.
    pub(super) fn start(
        index: usize,
        worker: Worker,
        on_fail: OnFail,
        news: Sender<Happening>,
    ) -> Self {
        let (orders, inbox) = channel();
        let Worker { stage, env } = worker;
        let interrupt = Interrupt::new();
        let here = interrupt.clone();
        std::thread::spawn(move || {
            here.enter();
            let listener = news.clone();
            doing::listen(move |what| {
                let _ = listener.send(Happening::Doing { desk: index, what: what.to_owned() });
            });
            work(index, stage, &on_fail, &here, &inbox, &news);
        });
        Self { env, current: None, state: DeskState::Open, interrupt, orders }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, DeskState::Open) && self.current.is_none()
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, DeskState::Closed)
    }

    pub(super) fn close(&mut self, deadline: Deadline) {
        self.state = DeskState::Closing(Patience { deadline, asked: false });
        self.order(Order::Close);
    }

    pub(super) fn order(&self, order: Order) {
        // The thread ends after `Close` only, and that is the last order.
        let _ = self.orders.send(order);
    }
}

fn work(
    desk: usize,
    mut stage: Box<dyn Stage>,
    on_fail: &OnFail,
    interrupt: &Interrupt,
    orders: &Receiver<Order>,
    news: &Sender<Happening>,
) {
    for order in orders {
        let closing = matches!(order, Order::Close);
        let test = order.test();
        let happening = match order {
            Order::Prepare(test, places) => Happening::Prepared {
                desk,
                test: test.number,
                result: guarded(|| stage.prepare(&test, &places)),
            },
            Order::Clean(test, places, case, is_last) => {
                let said = case.verdict.outcome;
                let judgement = guarded(|| Ok(case.judge(&places, &test.params))).ok();
                let outcome = judgement.as_ref().map_or(said, |it| it.verdict.outcome);
                let failed = outcome.is_failure();
                let held = guarded(|| {
                    let knock = |vm: &str| {
                        knock(desk, test.number, vm, judgement.as_ref()?, interrupt, news)
                    };
                    Ok(match outcome {
                        // What comes next will find, or end, what it left.
                        _ if !failed || !is_last => Held::default(),
                        // It might have passed.
                        Outcome::Interrupted => Held {
                            ended: Vec::new(),
                            ..OnFail::Kill.hold(&test.params, &places, knock)
                        },
                        _ => on_fail.hold(&test.params, &places, knock),
                    })
                });
                let held = held.unwrap_or_default();
                let mut result = guarded(|| stage.clean(&test, &places, failed));
                if interrupt.is_requested() && result.is_err() {
                    // It did not end in time, so what it left is to go without much ado.
                    interrupt.clear();
                    if let Err(error) = guarded(|| stage.abandon(&test, &places)) {
                        result = result.map_err(|first| first.context(error.to_string()));
                    }
                }
                let judged = judgement.map(|judgement| Judged { judgement, held });
                Happening::Cleaned { desk, test: test.number, judged: Box::new(judged), result }
            }
            Order::Clear => Happening::Cleared { desk, result: guarded(|| stage.clear()) },
            Order::Close => Happening::Closed { desk, result: guarded(|| stage.finish()) },
        };
        let notes = test.map(|test| (test, stage.notes()));
        for (test, note) in notes
            .into_iter()
            .flat_map(|(test, notes)| notes.into_iter().map(move |note| (test, note)))
        {
            // Who is not listened to now is not listened to below.
            let _ = news.send(Happening::Noted { desk, test, note });
        }
        if news.send(happening).is_err() || closing {
            return;
        }
    }
}

/// Asks the dispatcher to let a person into `vm`, and waits until it does, or will not.
fn knock(
    desk: usize,
    test: u32,
    vm: &str,
    judgement: &Judgement,
    interrupt: &Interrupt,
    news: &Sender<Happening>,
) -> Option<Inside> {
    let (go, answer) = channel();
    let visit = Visit { desk, test, vm: vm.to_owned(), judgement: judgement.clone(), go };
    news.send(Happening::Knocks(Box::new(visit))).ok()?;
    answer.recv().ok()?;
    Some(Inside { desk, test, interrupt: interrupt.clone(), news: news.clone() })
}

/// A stage that panics costs its test, not the run.
fn guarded<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("without a message");
        Err(Error::new(ErrorKind::TestError, format!("the harness panicked: {words}")))
    })
}
