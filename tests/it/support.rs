//! What several tests need: counted values, gates, and running something with a time limit.
