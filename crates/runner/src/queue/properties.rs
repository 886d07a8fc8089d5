//! What holds whatever the tests are.
