//! Being told to stop.

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether Ctrl-C was pressed, or the system wants the program to end.
pub struct Signals {
    stop: Arc<AtomicBool>,
}

impl Signals {
    /// Takes note of signals from now on. The second one ends the program at
    /// once, as it does without this.
    pub fn watch() -> Signals {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Where one cannot be caught, it ends the program; the next run
            // carries on.
            let _ = flag::register_conditional_default(signal, stop.clone());
            let _ = flag::register(signal, stop.clone());
        }
        // Too large a file is an error to report, not the end.
        let _ = flag::register(SIGXFSZ, Arc::default());
        Signals { stop }
    }

    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
