//! `emonfeed backup --database-dump`: what it prints, and how it ends.
#![cfg(feature = "cli")]

mod server;

use serde_json::Value;
use server::Server;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn backup(server: &Server, copies: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(["backup", "--same-device"])
        .args(options)
        .args([&server.database(), copies])
        .stdin(Stdio::null())
        .output()
        .expect("emonfeed runs")
}

#[test]
fn a_backup_dumps_the_database_when_told_to() {
    let mut server = Server::start();
    server.sql(
        "CREATE TABLE users (id INT); INSERT INTO users VALUES (4711);
         CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, UNIQUE (time)); FLUSH TABLES",
    );
    let dir = tempfile::tempdir().unwrap();
    let copies = dir.path().join("copies");
    let file = dir.path().join("my.cnf");
    let socket = server.folder().join("s");
    let text = format!("[client]\nuser=root\nsocket={}\n", socket.display());
    fs::write(&file, &text).unwrap();
    let options =
        ["--database-dump", "emoncms", "--defaults-file", file.to_str().unwrap()];
    let with = |more: &[&str]| backup(&server, &copies, &[&options, more].concat());
    let dumps = || {
        let names = fs::read_dir(&copies).unwrap().map(|e| e.unwrap().file_name());
        let mut dumps: Vec<_> = names
            .map(|name| name.into_string().unwrap())
            .filter(|name| name.contains("database-"))
            .collect();
        dumps.sort();
        dumps
    };

    let output = with(&["-n"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!copies.exists());

    let output = with(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let [first] = &dumps()[..] else { panic!("{:?}", dumps()) };
    let bytes = fs::read(copies.join(first)).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line =
        format!("database emoncms  1 tables dumped  {} bytes  {first}\n", bytes.len());
    assert!(said.contains(&line), "{said}");
    let dump = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
    assert!(dump.contains("(4711)") && !dump.contains("feed_1"), "{dump}");

    // Its own second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let output = with(&["--json", "--database-keep", "1"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().nth_back(1).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["type"], &line["outcome"]), (&"database".into(), &"dumped".into()));
    assert_eq!(line["tables"], 1);
    assert_eq!(line["removed"][0], first.as_str());
    assert_eq!(dumps(), [line["file"].as_str().unwrap()]);

    let held = dumps();
    fs::write(&file, text.replace("socket=", "socket=/nowhere")).unwrap();
    for more in [&[][..], &["--json"], &["-q"]] {
        let output = with(more);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("the database emoncms is not dumped: "), "{said}");
        assert!(said.contains("/nowhere"), "{said}");
        assert_eq!(dumps(), held);
    }

    for usage in [
        &["--database-dump", ""][..],
        &["--database-dump", "emoncms", "--database-keep", "0"],
        &["--database-keep", "3"],
        &["--defaults-file", "my.cnf"],
    ] {
        let output = backup(&server, &copies, usage);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}
