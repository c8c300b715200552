//! A private MariaDB server for tests.
//!
//! It listens on a socket in its own temporary folder and nowhere else. A
//! small shell script stands between the test and the server, with its
//! standard input tied to the test: when that closes, because the test ended,
//! panicked or was killed, the script kills the server and removes the folder.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod oracle;
pub mod shapes;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const GUARD: &str = r#"
trap '' INT HUP TERM
dir=$1
shift
"$@" </dev/null >>"$dir/log" 2>&1 &
read -r order
kill -KILL $!
# Not "Killed" on every run.
wait $! 2>/dev/null
test "$order" = keep || rm -rf "$dir"
"#;

/// One cell of an answer; `None` is NULL.
pub type Cell = Option<String>;
/// The rows a statement answered.
pub type Rows = Vec<Vec<Cell>>;

/// A running server and one connection to it.
pub struct Server {
    dir: PathBuf,
    options: Vec<String>,
    guard: Child,
    client: Option<Client>,
}

impl Server {
    /// A server with MyISAM and without InnoDB, which starts in a blink.
    pub fn start() -> Server {
        Server::start_with(&["--skip-innodb"])
    }

    /// A server with further options.
    pub fn start_with(options: &[&str]) -> Server {
        let dir = tempfile::Builder::new()
            .prefix("emonfeed-sql-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        std::fs::create_dir(dir.join("data")).expect("a data folder");
        let options: Vec<String> = options.iter().map(|&o| o.into()).collect();
        let guard = launch(&dir, &options);
        let mut server = Server { dir, options, guard, client: None };
        server.connect();
        server.sql("CREATE DATABASE emoncms");
        server.sql("USE emoncms");
        server
    }

    /// The folder of the database that every statement works in.
    pub fn database(&self) -> PathBuf {
        self.dir.join("data/emoncms")
    }

    /// Where everything of this server is.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// The file with the rows of `table`.
    pub fn rows_file(&self, table: &str) -> PathBuf {
        self.database().join(format!("{table}.MYD"))
    }

    /// Another connection.
    pub fn client(&self) -> Client {
        let mut client = Client::connect(&self.dir.join("s"));
        client.sql("USE emoncms").expect("the database");
        client
    }

    /// Runs `sql` (one statement or several) and returns the rows it answers.
    #[track_caller]
    pub fn sql(&mut self, sql: &str) -> Rows {
        match self.try_sql(sql) {
            Ok(rows) => rows,
            Err(error) => panic!("{error}\nin: {sql:.2000}"),
        }
    }

    /// The same, with the server's error text when it refuses.
    pub fn try_sql(&mut self, sql: &str) -> Result<Rows, String> {
        self.client.as_mut().expect("a connection").sql(sql)
    }

    /// Several statements in one round trip: an answer for each.
    pub fn ask<S: AsRef<str>>(&mut self, questions: &[S]) -> Result<Vec<Rows>, String> {
        self.client.as_mut().expect("a connection").ask(questions)
    }

    /// The connection that [`Server::sql`] uses.
    pub fn main_client(&mut self) -> &mut Client {
        self.client.as_mut().expect("a connection")
    }

    /// Kills the server as a power cut would, and waits until it is gone.
    pub fn crash(&mut self) {
        self.client = None;
        self.stop("keep\n");
    }

    /// Starts the server again on the same files.
    pub fn restart(&mut self) {
        self.guard = launch(&self.dir, &self.options);
        self.connect();
        self.sql("USE emoncms");
    }

    fn stop(&mut self, order: &str) {
        let guard = self.guard.stdin.take();
        if let Some(mut stdin) = guard {
            // A guard that is gone already has done its work.
            let _ = stdin.write_all(order.as_bytes());
        }
        let _ = self.guard.wait();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn connect(&mut self) {
        let socket = self.dir.join("s");
        assert!(
            socket.as_os_str().len() < 107,
            "{}: too long for a socket; set TMPDIR to a shorter path",
            socket.display()
        );
        let started = Instant::now();
        while !socket.exists() {
            let log =
                || std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            if let Ok(Some(_)) = self.guard.try_wait() {
                panic!("the server's guard ended:\n{}", log());
            }
            assert!(
                started.elapsed() < Duration::from_secs(60)
                    && !log().contains("[ERROR] Aborting"),
                "the server does not start:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        self.client = Some(Client::connect(&socket));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // It may have to do with the failure, and is about to go.
            eprintln!("the server's log:\n{}", self.log());
        }
        self.client = None;
        self.stop("");
    }
}

fn launch(dir: &Path, options: &[String]) -> Child {
    let program = find("mariadbd", "mariadb-server-core");
    // A socket left by a crash would look like a server that is ready.
    let _ = std::fs::remove_file(dir.join("s"));
    let file = |name: &str| dir.join(name).into_os_string().into_string().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "guard"]).arg(dir).arg(program).args([
        "--no-defaults".into(),
        "--skip-grant-tables".into(),
        "--skip-networking".into(),
        "--skip-log-bin".into(),
        "--default-storage-engine=MyISAM".into(),
        "--key-buffer-size=1M".into(),
        "--aria-pagecache-buffer-size=1M".into(),
        "--aria-log-file-size=8M".into(),
        "--max-connections=20".into(),
        "--max-allowed-packet=64M".into(),
        "--max-heap-table-size=64M".into(),
        "--tmp-table-size=64M".into(),
        "--default-time-zone=+00:00".into(),
        format!("--tmpdir={}", dir.display()),
        format!("--datadir={}", file("data")),
        format!("--socket={}", file("s")),
        format!("--pid-file={}", file("pid")),
    ]);
    if is_root() {
        // Otherwise it refuses; the folder is root's alone.
        command.arg("--user=root");
    }
    command
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the shell starts")
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn find(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        // An ordinary user's PATH lacks the folder of servers.
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!("{program} is missing: install the Debian package {package}")
        })
}

/// A connection: the `mariadb` program kept running behind pipes.
pub struct Client {
    program: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    asked: u64,
}

impl Client {
    fn connect(socket: &Path) -> Client {
        let mut program = Command::new("sh")
            // Errors come down the same pipe, so that they stay in their place.
            .args(["-c", r#"exec "$@" 2>&1"#, "client"])
            .arg(find("mariadb", "mariadb-client-core"))
            .args(["--no-defaults", "--batch", "--raw", "--skip-column-names"])
            .args(["--unbuffered", "--force", "--quick", "--max-allowed-packet=64M"])
            .arg("--socket")
            .arg(socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the shell starts");
        let stdin = program.stdin.take();
        let stdout = BufReader::new(program.stdout.take().expect("a pipe"));
        Client { program, stdin, stdout, asked: 0 }
    }

    /// Runs `sql` and returns the rows it answers, or the first error's text.
    pub fn sql(&mut self, sql: &str) -> Result<Rows, String> {
        self.ask(&[sql])?.pop().ok_or_else(String::new)
    }

    /// Runs several statements in one round trip: an answer for each.
    pub fn ask<S: AsRef<str>>(&mut self, questions: &[S]) -> Result<Vec<Rows>, String> {
        let first = self.asked;
        let mut text = String::new();
        for (number, question) in (first..).zip(questions) {
            text.push_str(question.as_ref());
            text.push_str(&format!(";\nSELECT '{}';\n", sentinel(number)));
        }
        self.asked += questions.len() as u64;
        let mut error = None;
        let mut answers = Vec::new();
        let stdin = self.stdin.as_mut().expect("the pipe is open");
        // The answers are read beside the writing: neither pipe is endless.
        let stdout = &mut self.stdout;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // The reading side reports a client that is gone.
                let _ = stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush());
            });
            for number in first..self.asked {
                let end = sentinel(number);
                let mut rows = Rows::new();
                loop {
                    let mut line = String::new();
                    if stdout.read_line(&mut line).unwrap_or(0) == 0 {
                        error.get_or_insert_with(|| "the connection is gone".into());
                        return;
                    }
                    let line = line.trim_end_matches('\n');
                    if line == end {
                        break;
                    }
                    // Errors of the client itself: it may never answer again.
                    if line.starts_with("ERROR 20") {
                        error.get_or_insert_with(|| line.to_string());
                        return;
                    }
                    if line.starts_with("ERROR ") {
                        error.get_or_insert_with(|| line.to_string());
                    }
                    rows.push(
                        line.split('\t')
                            .map(|cell| (cell != "NULL").then(|| cell.to_string()))
                            .collect(),
                    );
                }
                answers.push(rows);
            }
        });
        error.map_or(Ok(answers), Err)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stdin = None;
        // It may be waiting for a statement that never ends.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn sentinel(number: u64) -> String {
    format!("--answered--{number}--")
}

/// File times are those of the kernel's ticks: later writes show.
pub fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(30));
}
