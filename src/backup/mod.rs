//! Copying feed files as they grow.
