//! How bytes mean rows: pure functions over byte slices.
