//! The database: SQLite, one file.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use camino::Utf8Path;
use jiff::Timestamp;
use kvmtest::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags, Row, TransactionBehavior, params};

use super::run::Run;
use super::single::Single;
use super::story::{Ended, Stories, Story, median};
use crate::outcome::Outcome;

/// How long another run may keep the database for itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// The version of the tables.
const VERSION: i64 = 1;

/// Times are milliseconds; points in time since 1970.
const TABLES: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    directory TEXT NOT NULL UNIQUE,
    began INTEGER NOT NULL,
    program TEXT NOT NULL,
    host TEXT NOT NULL
);
CREATE TABLE result (
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    name TEXT NOT NULL,
    shortname TEXT NOT NULL,
    subtest TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    flaky INTEGER NOT NULL,
    known INTEGER NOT NULL,
    cause TEXT,
    began INTEGER NOT NULL,
    duration INTEGER NOT NULL
);
CREATE INDEX result_of_run ON result (run);
CREATE INDEX result_of_test ON result (name, began);
";

/// Of how many times the median is taken that a test is expected to take.
const RECENT: usize = 5;

/// The database, opened.
pub(super) struct Store {
    connection: Connection,
    path: String,
}

impl Store {
    /// Opens the database for writing, and makes it where it is not there.
    pub(super) fn make(path: &Utf8Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::with(path, flags)
    }

    /// Opens the database for reading; nothing where there is none.
    pub(super) fn open(path: &Utf8Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        // A reader makes the tables, too, of what a run has left that was killed before it had.
        Self::with(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map(Some)
    }

    fn with(path: &Utf8Path, flags: OpenFlags) -> Result<Self> {
        let open = || -> rusqlite::Result<(Connection, i64)> {
            let mut connection =
                Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            let mut version = version(&connection)?;
            if version == 0 {
                let change =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                // Another run may have been quicker.
                version = self::version(&change)?;
                if version == 0 {
                    change.execute_batch(TABLES)?;
                    change.pragma_update(None, "user_version", VERSION)?;
                    version = VERSION;
                }
                change.commit()?;
            }
            Ok((connection, version))
        };
        let (connection, version) = open().map_err(|error| failed(path.as_str(), error))?;
        if version != VERSION {
            let message = format!(
                "{path} has version {version}, this program reads version {VERSION}; make it anew: \
                 `kvmtest history --rebuild`"
            );
            return Err(Error::new(ErrorKind::Io, message));
        }
        Ok(Self { connection, path: path.to_string() })
    }

    /// Adds a run, in place of one from the same folder.
    pub(super) fn add(&mut self, run: &Run) -> Result<()> {
        insert(&mut self.connection, run).map_err(|error| failed(&self.path, error))
    }

    /// The story of each test.
    pub(super) fn stories(&self) -> Result<Vec<Story>> {
        let mut stories = Stories::default();
        self.rows(
            "SELECT name, shortname, subtest, outcome, flaky, known, result.began, duration, \
             directory FROM result JOIN run ON run.id = result.run \
             ORDER BY name, result.began, iteration",
            |row| {
                let ended = Ended {
                    outcome: outcome(row, 3)?,
                    flaky: row.get(4)?,
                    known: row.get(5)?,
                    at: moment(row.get(6)?),
                    duration_ms: milliseconds(row, 7)?,
                    directory: row.get(8)?,
                };
                stories.add(row.get(0)?, row.get(1)?, row.get(2)?, ended);
                Ok(())
            },
        )?;
        Ok(stories.finish())
    }

    /// Every end of the tests with these names, the last one of each first.
    pub(super) fn singles(&self, names: &HashSet<&str>) -> Result<HashMap<String, Vec<Single>>> {
        let mut singles: HashMap<String, Vec<Single>> = HashMap::new();
        self.rows(
            "SELECT name, outcome, flaky, known, cause, result.began, duration, directory \
             FROM result JOIN run ON run.id = result.run \
             ORDER BY result.began DESC, iteration DESC",
            |row| {
                let name: String = row.get(0)?;
                if !names.contains(name.as_str()) {
                    return Ok(());
                }
                singles.entry(name).or_default().push(Single {
                    at: moment(row.get(5)?),
                    outcome: outcome(row, 1)?,
                    flaky: row.get(2)?,
                    known: row.get(3)?,
                    cause: row.get(4)?,
                    duration_ms: milliseconds(row, 6)?,
                    directory: row.get(7)?,
                });
                Ok(())
            },
        )?;
        Ok(singles)
    }

    /// The names of the tests of which anything failed in the last run that they were in.
    pub(super) fn failing(&self) -> Result<HashSet<String>> {
        let mut failing = HashSet::new();
        self.rows(
            "SELECT DISTINCT name FROM (
                SELECT name, outcome, known,
                    rank() OVER (PARTITION BY name ORDER BY run.began DESC, run.id DESC) AS back
                FROM result JOIN run ON run.id = result.run
                WHERE outcome IN ('PASS', 'WARN', 'FAIL', 'ERROR')
            ) WHERE back = 1 AND NOT known AND outcome IN ('FAIL', 'ERROR')",
            |row| {
                failing.insert(row.get(0)?);
                Ok(())
            },
        )?;
        Ok(failing)
    }

    /// How long each test takes that has ever passed.
    pub(super) fn times(&self) -> Result<HashMap<String, Duration>> {
        let mut times: HashMap<String, Vec<u64>> = HashMap::new();
        let question = format!(
            "SELECT name, duration FROM (
                SELECT name, duration,
                    row_number() OVER (PARTITION BY name ORDER BY began DESC) AS back
                FROM result WHERE outcome IN ('PASS', 'WARN')
            ) WHERE back <= {RECENT}"
        );
        self.rows(&question, |row| {
            times.entry(row.get(0)?).or_default().push(milliseconds(row, 1)?);
            Ok(())
        })?;
        let time = |(name, mut times): (String, Vec<u64>)| {
            Some((name, Duration::from_millis(median(&mut times)?)))
        };
        Ok(times.into_iter().filter_map(time).collect())
    }

    fn rows(
        &self,
        question: &str,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let mut ask = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(question)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            Ok(())
        };
        ask().map_err(|error| failed(&self.path, error))
    }
}

fn insert(connection: &mut Connection, run: &Run) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change.execute("DELETE FROM run WHERE directory = ?1", params![run.directory])?;
    change.execute(
        "INSERT INTO run (directory, began, program, host) VALUES (?1, ?2, ?3, ?4)",
        params![run.directory, run.began.as_millisecond(), run.program, run.host],
    )?;
    let id = change.last_insert_rowid();
    {
        let mut insert = change.prepare(
            "INSERT INTO result (run, name, shortname, subtest, iteration, attempt, outcome, \
             flaky, known, cause, began, duration) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        for test in &run.tests {
            insert.execute(params![
                id,
                test.name,
                test.shortname,
                test.subtest,
                test.iteration,
                test.attempt,
                test.outcome.word(),
                test.flaky,
                test.known,
                test.cause.map(crate::event::Cause::words),
                test.began.as_millisecond(),
                i64::try_from(test.duration_ms).unwrap_or(i64::MAX),
            ])?;
        }
    }
    change.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn outcome(row: &Row<'_>, column: usize) -> rusqlite::Result<Outcome> {
    let word: String = row.get(column)?;
    let known = Outcome::ALL.into_iter().find(|outcome| outcome.word() == word);
    known.ok_or(rusqlite::Error::InvalidColumnType(column, word, rusqlite::types::Type::Text))
}

fn milliseconds(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

fn failed(path: &str, error: rusqlite::Error) -> Error {
    let message = format!("the history in {path} (`kvmtest history --rebuild` makes it anew)");
    Error::new(ErrorKind::Io, message).caused_by(error)
}
