//! How long tests go on that could go on for ever.

/// `usual` in `make test`, `soak` in `make soak`, which sets `EMONFEED_SOAK`.
pub fn effort<T>(usual: T, soak: T) -> T {
    match std::env::var_os("EMONFEED_SOAK") {
        Some(_) => soak,
        None => usual,
    }
}
