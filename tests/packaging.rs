//! What packages, composer.json and configure say of the library is what it is.

mod c;

use c::{declared, root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn everything_is_of_one_version() {
    let changelog = read("debian/changelog");
    let newest = changelog.lines().next().unwrap();
    assert!(newest.starts_with(&format!("emonfeed ({VERSION}) ")), "{newest}");
    let configure = read("php-ext/config.m4");
    assert!(configure.contains(&format!("\n  EMONFEED_VERSION={VERSION}\n")));
}

/// A new function has to be added with the version that brings it.
#[test]
fn the_symbols_of_the_package_are_those_of_the_header() {
    let symbols = read("debian/libemonfeed0.symbols");
    let (library, functions) = symbols.split_once('\n').unwrap();
    assert_eq!(library, "libemonfeed.so.0 libemonfeed0 #MINVER#");
    assert!(read("build.rs").contains("-soname,libemonfeed.so.0\""));
    let functions: BTreeSet<String> = functions
        .lines()
        .map(|line| line.trim_start().split_once("@Base ").expect(line).0.to_owned())
        .collect();
    assert_eq!(functions, declared());
}

/// PIE reads the one in the repository's root; whoever calls it in php-ext, the other.
#[test]
fn both_composer_files_say_the_same() {
    let [mut whole, alone] = ["composer.json", "php-ext/composer.json"]
        .map(|path| serde_json::from_str::<Value>(&read(path)).unwrap());
    let extension = whole["php-ext"].as_object_mut().unwrap();
    assert_eq!(extension.remove("build-path"), Some("php-ext".into()));
    assert_eq!(whole, alone);
    assert_eq!(whole["type"], "php-ext");
    assert_eq!(whole["license"], env!("CARGO_PKG_LICENSE"));
    assert_eq!(whole["description"], env!("CARGO_PKG_DESCRIPTION"));
}

/// The command that backs up, with its options, in the words of a shell.
fn backup(path: &str) -> String {
    let text = read(path);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once("emonfeed backup ").map(|(_, words)| words))
        .collect();
    assert_eq!(lines.len(), 1, "{path}");
    lines[0].replace("${DESTINATION}", "\"$DESTINATION\"")
}

#[test]
fn cron_and_the_service_do_the_same() {
    let service = backup("docs/backup/emonfeed-backup.service");
    assert_eq!(service, backup("docs/backup/emonfeed-backup.cron"));
    let settings = read("docs/backup/emonfeed.conf");
    for name in ["SOURCES", "DESTINATION", "OPTIONS"] {
        assert!(service.contains(&format!("${name}")), "{service}");
        assert!(settings.contains(&format!("\n{name}=\"")), "{settings}");
    }
}
