//! What the probe has to say against a host.

/// Why KVM does not work, in words that fit after "KVM is not usable: ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Objection {
    pub(super) message: String,
    /// Whether it holds for as long as the host is up.
    pub(super) lasting: bool,
}

impl Objection {
    /// Guests do not work here.
    pub(super) fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), lasting: true }
    }

    /// Somebody else has what is needed, or was in the way: it may be gone in a moment.
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), lasting: false }
    }

    /// The same objection, met at a step of the probe.
    pub(super) fn at(self, what: &str) -> Self {
        Self { message: format!("at {what}: {}", self.message), ..self }
    }
}
