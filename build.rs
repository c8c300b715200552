//! How the shared library is linked. Writes no files.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Programs ask for this name at run time. The number is raised when
        // programs built with an older header would no longer work.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libemonfeed.so.0");
        // A signal handler, once installed, has to outlive a `dlclose`.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
