//! `include/emonfeed.h` is what cbindgen makes of `src/ffi/` now.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header_path() -> PathBuf {
    root().join("include/emonfeed.h")
}

fn header() -> String {
    fs::read_to_string(header_path()).expect("include/emonfeed.h is committed")
}

fn generate() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml"))
        .expect("cbindgen.toml is valid");
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(root().join("src/ffi/mod.rs"))
        .generate()
        .expect("src/ffi has a C interface");
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).expect("a header is text")
}

#[test]
fn the_committed_header_is_fresh() {
    let fresh = generate();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        fs::write(header_path(), &fresh).unwrap();
    }
    let committed = header();
    for (i, (committed, fresh)) in committed.lines().zip(fresh.lines()).enumerate() {
        assert_eq!(
            committed,
            fresh,
            "include/emonfeed.h differs in line {} from what src/ffi/ and cbindgen.toml \
             say; `UPDATE_HEADER=1 cargo test --test header` writes it anew",
            i + 1
        );
    }
    assert_eq!(committed, fresh, "include/emonfeed.h has another length");
}
