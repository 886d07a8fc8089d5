//! What the queue does, step by step.
