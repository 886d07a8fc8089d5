//! A text of a variant that may be known already.

/// A key or a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece<'a> {
    /// What it says.
    pub text: &'a str,
    /// Keys with the same number are the same, and so are values with the same number, in all
    /// variants of one [`Config`](crate::Config). What was put together for this variant has none.
    pub number: Option<u64>,
}
