//! Numbers and times as text.
