//! `make install`, as somebody who then builds a C program meets it.

mod c;

use c::{native_libraries, output, root, write_feed};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `make` as typed in `tree`, in a shell of its own.
fn make(tree: &Path, arguments: &[String]) -> String {
    let mut command = Command::new("make");
    for name in [
        "MAKEFLAGS",
        "MAKELEVEL",
        "DESTDIR",
        "PREFIX",
        "BINDIR",
        "LIBDIR",
        "INCLUDEDIR",
        "DATADIR",
        "MANDIR",
        "BASHDIR",
        "ZSHDIR",
        "FISHDIR",
    ] {
        command.env_remove(name);
    }
    output(command.current_dir(tree).args(arguments))
}

/// All files and links below `folder`, by path within it.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let within = path.strip_prefix(folder).unwrap();
                found.insert(within.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// The commands that `emonfeed help` lists.
fn commands(emonfeed: &Path) -> BTreeSet<String> {
    let help = output(Command::new(emonfeed).arg("help"));
    let (_, list) = help.split_once("\nCommands:\n").expect("a list of commands");
    let (list, _) = list.split_once("\n\n").expect("its end");
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// What of uPlot is installed with the page.
const UPLOT: [&str; 3] = ["LICENSE", "dist/uPlot.esm.js", "dist/uPlot.min.css"];

/// This tree, built, as it is before `make page` has fetched uPlot into it.
fn built_tree(folder: &Path) -> PathBuf {
    make(root(), &["all".to_owned()]);
    let tree = folder.join("tree");
    fs::create_dir_all(tree.join("explore")).unwrap();
    for shared in ["Makefile", "Cargo.toml", "build.rs", "include", "target"] {
        symlink(root().join(shared), tree.join(shared)).unwrap();
    }
    let page = ["serve.sh", "index.php", "app", "server", "package.json", "test"]
        .map(|part| root().join("explore").join(part));
    output(Command::new("cp").arg("-R").args(page).arg(tree.join("explore")));
    tree
}

/// What `make page` fetches, and the files of the page that are then installed.
fn fetch_page(tree: &Path) -> BTreeSet<String> {
    let modules = tree.join("explore/node_modules/uplot");
    fs::create_dir_all(modules.join("dist")).unwrap();
    for file in UPLOT.iter().chain(&["package.json", "dist/uPlot.cjs.js"]) {
        fs::write(modules.join(file), file).unwrap();
    }
    let own = files(&tree.join("explore")).into_iter().filter(|path| {
        path.starts_with("app/")
            || path.starts_with("server/")
            || ["serve.sh", "index.php"].contains(&path.as_str())
    });
    let fetched = UPLOT.map(|file| format!("node_modules/uplot/{file}"));
    own.chain(fetched).map(|path| format!("share/emonfeed/explore/{path}")).collect()
}

/// What the installed pkg-config file answers.
fn pkg_config(libdir: &Path, arguments: &[&str]) -> Vec<String> {
    let answer = output(
        Command::new("pkg-config")
            .env_remove("PKG_CONFIG_SYSROOT_DIR")
            .env("PKG_CONFIG_PATH", libdir.join("pkgconfig"))
            .args(arguments)
            .arg("emonfeed"),
    );
    answer.split_whitespace().map(str::to_owned).collect()
}

/// The shared libraries a program asks for.
fn needed(program: &Path) -> String {
    let dynamic =
        output(Command::new("readelf").args(["--wide", "--dynamic"]).arg(program));
    dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect()
}

#[test]
fn a_program_is_built_against_what_was_installed() {
    let folder = c::temporary();
    let prefix = folder.path().join("prefix");
    let libdir = prefix.join("lib");
    let variables = [format!("PREFIX={}", prefix.display())];
    let tree = built_tree(folder.path());
    let page = fetch_page(&tree);
    let install =
        |target: &str| make(&tree, &[&[target.to_owned()], &variables[..]].concat());

    install("install");
    let version = env!("CARGO_PKG_VERSION");
    let mut installed: BTreeSet<String> = [
        "bin/emonfeed",
        "include/emonfeed.h",
        "lib/libemonfeed.a",
        "lib/libemonfeed.so",
        "lib/libemonfeed.so.0",
        &format!("lib/libemonfeed.so.{version}"),
        "lib/pkgconfig/emonfeed.pc",
        "share/bash-completion/completions/emonfeed",
        "share/fish/vendor_completions.d/emonfeed.fish",
        "share/man/man1/emonfeed.1",
        "share/zsh/site-functions/_emonfeed",
    ]
    .map(str::to_owned)
    .into();
    let commands = commands(&prefix.join("bin/emonfeed"));
    assert!(commands.contains("backup") && commands.contains("man"), "{commands:?}");
    installed
        .extend(commands.iter().map(|name| format!("share/man/man1/emonfeed-{name}.1")));
    installed.extend(page);
    assert_eq!(files(&prefix), installed);
    for (shell, script) in [
        ("bash", "bash-completion/completions/emonfeed"),
        ("zsh", "zsh/site-functions/_emonfeed"),
        ("fish", "fish/vendor_completions.d/emonfeed.fish"),
    ] {
        let script = fs::read_to_string(prefix.join("share").join(script)).unwrap();
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
    }
    for link in ["libemonfeed.so", "libemonfeed.so.0"] {
        let path = libdir.join(link);
        let target = fs::read_link(&path).unwrap_or_else(|e| panic!("{link}: {e}"));
        assert!(target.is_relative(), "{link} leads to {}", target.display());
        assert!(path.is_file(), "{link} leads nowhere");
    }
    assert_eq!(
        fs::read(prefix.join("include/emonfeed.h")).unwrap(),
        fs::read(root().join("include/emonfeed.h")).unwrap()
    );
    assert_eq!(pkg_config(&libdir, &["--modversion"]), [version]);
    assert_eq!(c::shown_by(&libdir.join("libemonfeed.so")), c::declared());

    // The line at the head of year.c, and the strictness of the tests.
    let feed = folder.path().join("feed_1.MYD");
    write_feed(&feed, (0..24).map(|hour| (1_356_998_400 + hour * 3600, hour as f32)));
    let year = |name: &str, options: Vec<String>| {
        let program = folder.path().join(name);
        output(
            Command::new("cc")
                .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
                .arg(root().join("tests/c/year.c"))
                .args(options)
                .arg("-o")
                .arg(&program),
        );
        program
    };
    let run = |command: &mut Command| {
        let said = output(command.arg(&feed).arg("2013").env("TZ", "UTC0"));
        assert_eq!(said.lines().next(), Some("2013-01-01 11.50"));
        assert_eq!(said.lines().count(), 365);
    };

    let program = year("shared", pkg_config(&libdir, &["--cflags", "--libs"]));
    assert!(needed(&program).contains("[libemonfeed.so.0]"), "{}", needed(&program));
    run(Command::new(&program).env("LD_LIBRARY_PATH", &libdir));

    // With a static library only, as some ship it.
    for shared in installed.iter().filter(|name| name.contains(".so")) {
        fs::remove_file(prefix.join(shared)).unwrap();
    }
    let options = pkg_config(&libdir, &["--static", "--cflags", "--libs"]);
    for library in native_libraries() {
        assert!(options.contains(library), "{library} is missing in {options:?}");
    }
    let program = year("static", options);
    assert!(!needed(&program).contains("emonfeed"), "{}", needed(&program));
    run(Command::new(&program).env_remove("LD_LIBRARY_PATH"));

    // Nothing of it stays behind, nothing else goes.
    let others = ["lib/other.so", "share/man/man1/emonfeeder.1"];
    for other in others {
        fs::write(prefix.join(other), "").unwrap();
    }
    for _twice in 0..2 {
        install("uninstall");
        assert_eq!(files(&prefix), others.map(str::to_owned).into());
    }
}

/// As the makers of packages do it; without the page, which they did not fetch.
#[test]
fn a_staged_installation_knows_nothing_of_the_stage() {
    let folder = c::temporary();
    let stage = folder.path().join("stage");
    let variables = [
        format!("DESTDIR={}", stage.display()),
        "PREFIX=/usr".to_owned(),
        "LIBDIR=/usr/lib/some-machine".to_owned(),
    ];
    let tree = built_tree(folder.path());
    make(&tree, &[&["install".to_owned()], &variables[..]].concat());
    let libdir = stage.join("usr/lib/some-machine");
    assert!(libdir.join("libemonfeed.so.0").is_file());
    assert!(stage.join("usr/include/emonfeed.h").is_file());
    assert!(stage.join("usr/bin/emonfeed").is_file());
    assert!(!stage.join("usr/share/emonfeed").exists());
    let definition = fs::read_to_string(libdir.join("pkgconfig/emonfeed.pc")).unwrap();
    assert!(definition.contains("libdir=/usr/lib/some-machine\n"), "{definition}");
    assert!(!definition.contains("stage"), "{definition}");
    assert!(!definition.contains('@'), "{definition}");

    make(&tree, &[&["uninstall".to_owned()], &variables[..]].concat());
    assert_eq!(files(&stage), BTreeSet::new());
}

#[test]
fn cargo_installs_the_command() {
    let folder = c::temporary();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    make(root(), &["all".to_owned()]);
    output(
        Command::new(cargo)
            .args(["install", "--locked", "--path", ".", "--root"])
            .arg(folder.path())
            .env("CARGO_TARGET_DIR", root().join("target"))
            .current_dir(root()),
    );
    let command = folder.path().join("bin/emonfeed");
    assert_eq!(
        output(Command::new(command).arg("--version")),
        concat!("emonfeed ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
