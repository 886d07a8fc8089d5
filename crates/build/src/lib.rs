//! Written in the steps that follow.
