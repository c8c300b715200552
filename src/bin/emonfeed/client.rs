//! The client programs of the database. User and password are for them to
//! find, in their option files: no argument, which `ps` shows to everybody, and
//! no environment variable ever holds one.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

/// The most that is kept of what a program says on standard error.
const KEPT: usize = 4096;
/// How many lines of it a message has.
const LINES: usize = 4;

/// How the client programs are called.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The option file they read in place of their usual ones (`~/.my.cnf`).
    pub defaults_file: Option<PathBuf>,
}

/// One row of an answer; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// Runs statements and returns the rows they answer, of all statements one
/// after the other, or the text of the first error. A text that reads `NULL`
/// comes as NULL: the programs print both alike.
pub fn query(client: &Client, database: &str, sql: &str) -> Result<Vec<Row>, String> {
    const OPTIONS: &[&str] = &[
        "--batch",
        "--skip-column-names",
        "--default-character-set=utf8mb4",
        // No commands of the client in the text, and no mended line ends.
        "--binary-mode",
        // What an option file may have set and would spoil the answer. Safe
        // updates would cut it to 1000 rows.
        "--skip-safe-updates",
        "--skip-force",
        "--skip-raw",
        "--skip-table",
        "--skip-vertical",
        "--skip-html",
        "--skip-xml",
        "--skip-show-warnings",
    ];
    let mut running = client.start(["mariadb", "mysql"], |_, command| {
        command.args(OPTIONS).arg(format!("--database={database}"));
    })?;
    let mut answer = Vec::new();
    // Beside the reading, for neither pipe is endless.
    let read = thread::scope(|scope| {
        if let Some(mut stdin) = running.stdin.take() {
            scope.spawn(move || {
                // A client that stops listening says why when it ends.
                let _ = stdin.write_all(sql.as_bytes());
            });
        }
        running.stdout.read_to_end(&mut answer)
    });
    read.map_err(|e| running.cannot_read(&e))?;
    let program = running.program;
    running.finish()?;
    let answer = String::from_utf8(answer)
        .map_err(|_| format!("{program} answered bytes that are no UTF-8"))?;
    Ok(rows(&answer))
}

fn rows(answer: &str) -> Vec<Row> {
    if answer.is_empty() {
        return Vec::new();
    }
    let lines = answer.strip_suffix('\n').unwrap_or(answer).split('\n');
    lines
        .map(|line| {
            line.split('\t')
                .map(|cell| (cell != "NULL").then(|| unescape(cell)))
                .collect()
        })
        .collect()
}

fn unescape(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut rest = cell.chars();
    while let Some(c) = rest.next() {
        text.push(match c {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('0') => '\0',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    text
}

impl Client {
    /// Starts the first of `programs` that there is, with the arguments that
    /// `set_up` gives it.
    pub fn start(
        &self,
        programs: [&'static str; 2],
        set_up: impl Fn(&str, &mut Command),
    ) -> Result<Running, String> {
        for program in programs {
            let mut command = Command::new(program);
            if let Some(file) = &self.defaults_file {
                // The programs take this as their first argument only.
                let mut option = OsString::from("--defaults-file=");
                option.push(file);
                command.arg(option);
            }
            set_up(program, &mut command);
            command
                .env_remove("MYSQL_PWD")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            match command.spawn() {
                Ok(child) => return Running::new(program, child),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(format!("cannot run {program}: {e}")),
            }
        }
        let [new, old] = programs;
        Err(format!(
            "neither {new} nor {old} is in PATH: install the client programs of the database \
             (Debian's package mariadb-client)"
        ))
    }
}

/// A client program at work; killed unless it was let finish.
pub struct Running {
    pub program: &'static str,
    child: Child,
    /// Closed when taken and dropped, or at the end.
    pub stdin: Option<ChildStdin>,
    pub stdout: ChildStdout,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    fn new(program: &'static str, mut child: Child) -> Result<Running, String> {
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take())
        else {
            return Err(format!("{program} was started without pipes"));
        };
        let stderr = Some(thread::spawn(move || last_bytes(stderr)));
        Ok(Running { program, stdin: child.stdin.take(), child, stdout, stderr })
    }

    pub fn cannot_read(&self, error: &io::Error) -> String {
        format!("cannot read what {} answers: {error}", self.program)
    }

    /// Waits for its end, and says what it said if it failed.
    pub fn finish(mut self) -> Result<(), String> {
        self.stdin = None;
        let program = self.program;
        let status =
            self.child.wait().map_err(|e| format!("cannot wait for {program}: {e}"))?;
        if status.success() {
            return Ok(());
        }
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok());
        let said = last_lines(&stderr.unwrap_or_default());
        let mut message = format!("{program} failed ({status})");
        if !said.is_empty() {
            message = format!("{message}: {said}");
        }
        if said.contains("Access denied") && said.contains("using password") {
            message.push_str(
                "; its user and password belong below [client] in ~/.my.cnf, or in the file \
                 of --defaults-file",
            );
        }
        Err(message)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, and otherwise be waiting for a lock.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end and returns the last of it.
fn last_bytes(mut from: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut block = [0; 1024];
    // A failure to read is an end as well.
    while let Ok(read @ 1..) = from.read(&mut block) {
        keep_last(&mut kept, &block[..read], KEPT);
    }
    kept
}

/// Appends to `kept` and drops what is more than `most` from its beginning.
pub fn keep_last(kept: &mut Vec<u8>, more: &[u8], most: usize) {
    kept.extend_from_slice(more);
    kept.drain(..kept.len().saturating_sub(most));
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;
    use std::fs;
    use std::path::Path;

    const NO_ROWS: Vec<Row> = Vec::new();

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn cells_are_texts_or_null() {
        assert_eq!(rows(""), NO_ROWS);
        assert_eq!(rows("\n"), [[text("")]]);
        assert_eq!(rows("1\tNULL\n\\N\t\n"), [[text("1"), None], [text("N"), text("")]]);
        assert_eq!(rows("a\\tb\\nc\\\\n\\0\n"), [[text("a\tb\nc\\n\0")]]);
    }

    #[test]
    fn a_message_has_the_last_lines() {
        assert_eq!(last_lines(b""), "");
        assert_eq!(last_lines(b"1\n2\n\n 3\n4\n5\n"), "2; 3; 4; 5");
        let long = "x".repeat(5000) + "end";
        assert_eq!(last_bytes(long.as_bytes()), long.as_bytes()[5003 - KEPT..]);
    }

    #[test]
    fn statements_answer_rows_or_the_servers_error() {
        let server = Server::start();
        let client = client(&server, "");
        let query = |sql: &str| query(&client, "emoncms", sql);
        assert_eq!(query(""), Ok(NO_ROWS));
        assert_eq!(query("CREATE TABLE users (n INT); SELECT * FROM users"), Ok(NO_ROWS));
        assert_eq!(query("SELECT ''").unwrap(), [[text("")]]);
        assert_eq!(
            query(r"SELECT 'a\tb\nc\\d\0é🔌', NULL, '', 1; SELECT '\r\n\\!', 'a;b'")
                .unwrap(),
            [
                vec![text("a\tb\nc\\d\0é🔌"), None, text(""), text("1")],
                vec![text("\r\n\\!"), text("a;b")]
            ]
        );
        assert_eq!(query("SELECT 'a\r\nb'").unwrap(), [[text("a\r\nb")]]);
        let message = query("SELECT 1; SELECT * FROM nothing; SELECT 2").unwrap_err();
        assert!(message.contains("ERROR 1146"), "{message}");
        let message = query("SELECT CAST(0xFFFE AS BINARY)").unwrap_err();
        assert!(message.contains("no UTF-8"), "{message}");
        // More than pipes hold, both ways.
        let long = "x".repeat(300_000);
        let many = format!("SELECT '{long}';").repeat(20);
        assert_eq!(query(&many).unwrap(), vec![vec![text(&long)]; 20]);
    }

    #[test]
    fn no_argument_and_no_environment_has_a_password() {
        let server = Server::start();
        let client = client(&server, "password=secret\n");
        let running = client
            .start(["mariadb", "mysql"], |_, command| {
                command.env("MYSQL_PWD", "secret");
            })
            .unwrap();
        let process = Path::new("/proc").join(running.child.id().to_string());
        for file in ["cmdline", "environ"] {
            // The kernel shows nothing for a moment.
            let shown = std::iter::repeat_with(|| fs::read(process.join(file)).unwrap())
                .find(|shown| !shown.is_empty())
                .unwrap();
            assert!(!String::from_utf8_lossy(&shown).contains("secret"), "{file}");
        }
    }

    #[test]
    fn a_program_may_have_its_old_name_or_be_missing() {
        let start = |programs| {
            let client = Client { defaults_file: Some("/nonexistent".into()) };
            client.start(programs, |_, _| {}).map(|running| running.program)
        };
        assert_eq!(start(["no-such-program", "mariadb"]), Ok("mariadb"));
        let message = start(["no-such-program", "nor-this-one"]).unwrap_err();
        assert!(message.contains("mariadb-client"), "{message}");
    }

    fn client(server: &Server, more: &str) -> Client {
        let socket = server.folder().join("s");
        let file = server.folder().join("my.cnf");
        let options = format!("[client]\nuser=root\nsocket={}\n{more}", socket.display());
        fs::write(&file, options).unwrap();
        Client { defaults_file: Some(file) }
    }
}
