//! `include/emonfeed.h` is what cbindgen makes of `src/ffi/` now.

mod c;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn header_path() -> PathBuf {
    c::root().join("include/emonfeed.h")
}

fn header() -> String {
    fs::read_to_string(header_path()).expect("include/emonfeed.h is committed")
}

fn generate() -> String {
    let config = cbindgen::Config::from_file(c::root().join("cbindgen.toml"))
        .expect("cbindgen.toml is valid");
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(c::root().join("src/ffi/mod.rs"))
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

/// The comment of each opaque type ends with an index of its functions.
#[test]
fn each_type_lists_its_functions() {
    let header = header();
    let code = c::without_comments(&header);
    for (start, _) in header.match_indices("typedef struct emonfeed_") {
        let declaration = &header[start..];
        let name = declaration["typedef struct ".len()..].split(' ').next().unwrap();
        let comment = &header[..start];
        let comment = &comment[comment.rfind("/**").expect("a comment")..];
        let (_, index) = comment
            .split_once("Functions:")
            .unwrap_or_else(|| panic!("{name} lists no functions"));
        let indexed: BTreeSet<&str> =
            index.split('`').filter_map(|word| word.strip_suffix("()")).collect();
        let out = format!("{name} **out");
        for function in c::functions(&code) {
            let own =
                function.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
            let (_, arguments) = code.split_once(&format!("{function}(")).unwrap();
            let makes = arguments.split(';').next().unwrap().contains(&out);
            if own || makes {
                assert!(indexed.contains(function), "{name} does not list {function}");
            }
        }
    }
}
