//! The same words, isolated: work in processes of its own.

#[expect(dead_code, reason = "the values that have files come with the next step")]
mod luggage;
mod sys;
