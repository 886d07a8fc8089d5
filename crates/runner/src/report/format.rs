//! What a report can look like.

use std::io;

use super::whole::Whole;
use super::{html, json, junit, tap};

/// What a report can look like, where it is made of a whole run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `summary.json`.
    Json,
    /// `junit.xml`.
    Junit,
    /// `results.tap`.
    Tap,
    /// `results.html`.
    Html,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Json, Self::Junit, Self::Tap, Self::Html];

    /// The file in the results directory.
    pub fn file(self) -> &'static str {
        match self {
            Self::Json => "summary.json",
            Self::Junit => "junit.xml",
            Self::Tap => "results.tap",
            Self::Html => "results.html",
        }
    }

    /// Makes the report. `links` says how a page leads to the files of the results.
    pub fn make(self, whole: &Whole, links: html::Links) -> io::Result<Vec<u8>> {
        match self {
            Self::Json => json::json(whole),
            Self::Junit => junit::junit(whole).map(String::into_bytes).map_err(io::Error::other),
            Self::Tap => Ok(tap::tap(whole).into_bytes()),
            Self::Html => html::html(whole, links).map(String::into_bytes),
        }
    }
}
