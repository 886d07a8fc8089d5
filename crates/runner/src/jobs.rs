//! How many tests run at one time.

use std::str::FromStr;

use kvmtest::host;

use crate::plan::PlannedTest;
use crate::queue::{Capacity, Needs};

/// How many tests run at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// As many as the host has processors, as far as three quarters of its free memory hold what
    /// the smallest of the tests takes; and never more than there are tests.
    Auto,
    /// So many, at least one. More than the host has processors share them.
    Count(usize),
}

impl Default for Jobs {
    fn default() -> Self {
        Self::Count(1)
    }
}

impl Jobs {
    /// How many workers `tests` get on a host with `capacity`.
    pub fn workers(self, tests: &[PlannedTest], capacity: Capacity) -> usize {
        let most = tests.len().max(1);
        match self {
            Self::Count(count) => count.clamp(1, most),
            Self::Auto => {
                let memory =
                    |test: &PlannedTest| Needs::read(&test.params).unwrap_or_default().used.memory;
                let smallest = tests.iter().map(memory).min().unwrap_or(0).max(1);
                let fit = capacity.cpus.min(capacity.memory / smallest);
                usize::try_from(fit).unwrap_or(usize::MAX).clamp(1, most)
            }
        }
    }

    /// What the tests that run at one time may take together of a host with `capacity`.
    ///
    /// One worker alone has nobody to share with. A number of workers that was asked for is given
    /// a processor each, whether there are so many or not; memory cannot be shared so.
    pub fn capacity(self, workers: usize, capacity: Capacity) -> Capacity {
        match self {
            _ if workers == 1 => Capacity::UNLIMITED,
            Self::Auto => capacity,
            Self::Count(_) => {
                Capacity { cpus: capacity.cpus.max(workers as u64), memory: capacity.memory }
            }
        }
    }
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(count) if count > 0 => Ok(Self::Count(count)),
            _ => Err("a number from 1 on, or `auto`".into()),
        }
    }
}

/// What this host has for tests: the processors that this process may use, and three quarters of
/// the memory that is free now.
pub fn capacity_of_host() -> Capacity {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    // A host that does not tell is not to be filled.
    let memory = host::available_memory().map_or(0, |bytes| (bytes / 4 * 3) >> 20);
    Capacity { cpus, memory }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests(memory: &[&str]) -> Vec<PlannedTest> {
        let test = |(index, memory): (usize, &&str)| PlannedTest {
            number: u32::try_from(index).expect("few"),
            name: String::new(),
            shortname: String::new(),
            dep: Vec::new(),
            subtest: String::new(),
            iteration: 1,
            program: Err(String::new()),
            makers: std::sync::Arc::default(),
            params: [("vms", "vm1"), ("mem", *memory)].into_iter().collect(),
            urgent: false,
            expected: None,
        };
        memory.iter().enumerate().map(test).collect()
    }

    #[test]
    fn auto_is_what_the_host_holds() {
        let check = |cpus, memory, mem: &[&str], expected| {
            let workers = Jobs::Auto.workers(&tests(mem), Capacity { cpus, memory });
            assert_eq!(workers, expected, "{cpus} {memory} {mem:?}");
        };
        check(4, 8192, &["512"; 9], 4);
        check(4, 8192, &["512"; 3], 3);
        check(4, 1500, &["512"; 9], 2);
        check(4, 1500, &["4G", "512", "4G"], 2);
        check(4, 100, &["512"; 9], 1);
        check(4, 0, &["512"; 9], 1);
        check(0, 0, &[], 1);
    }

    #[test]
    fn a_number_is_taken_at_its_word() {
        let capacity = Capacity { cpus: 2, memory: 1000 };
        assert_eq!(Jobs::Count(4).workers(&tests(&["512"; 9]), capacity), 4);
        assert_eq!(Jobs::Count(4).workers(&tests(&["512"; 2]), capacity), 2);
        assert_eq!(Jobs::Count(4).capacity(4, capacity), Capacity { cpus: 4, memory: 1000 });
        assert_eq!(Jobs::Auto.capacity(2, capacity), capacity);
        assert_eq!(Jobs::Count(1).capacity(1, capacity), Capacity::UNLIMITED);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert_eq!("auto".parse(), Ok(Jobs::Auto));
        assert_eq!("3".parse(), Ok(Jobs::Count(3)));
        for text in ["0", "-1", "many", "", "AUTO"] {
            text.parse::<Jobs>().expect_err(text);
        }
    }
}
