//! Those who read: threads, processes, the command.

use crate::feed::{Answer, Question, TICK};
use emonfeed::{Access, Evidence, Feed, Options, Status};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

/// How a reader reads.
#[derive(Clone, Debug)]
pub struct How {
    pub access: Access,
    pub evidence: Evidence,
    pub keep: Option<PathBuf>,
    pub by: By,
}

/// Who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A thread of this process, with the feed kept open.
    Thread,
    /// A process of its own, with the feed kept open.
    Process,
    /// `emonfeed get`, started for each question.
    Command,
}

impl How {
    pub fn new(by: By, access: Access) -> How {
        How { access, evidence: Evidence::default(), keep: None, by }
    }

    fn options(&self) -> Options {
        let keep = self.keep.as_deref().map(Arc::from);
        Options { access: self.access, evidence: self.evidence, keep, no_follow: false }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum No {
    /// The feed changed all the time.
    Changed,
    /// Nobody expects that.
    Other(String),
}

impl From<emonfeed::Error> for No {
    fn from(error: emonfeed::Error) -> No {
        match error.status() {
            Status::Changed => No::Changed,
            status => No::Other(format!("{status:?}: {error}")),
        }
    }
}

pub struct Reader {
    path: PathBuf,
    how: How,
    feed: Option<Feed>,
    process: Option<Process>,
}

impl Reader {
    pub fn new(path: &Path, how: &How) -> Reader {
        let mut reader =
            Reader { path: path.to_owned(), how: how.clone(), feed: None, process: None };
        match how.by {
            By::Thread => {
                reader.feed = Some(Feed::open_with(path, how.options()).expect("a feed"));
            }
            By::Process => reader.process = Some(Process::start(path, how)),
            By::Command => {}
        }
        reader
    }

    pub fn ask(&mut self, question: Question) -> Result<Answer, No> {
        match (&self.feed, &mut self.process) {
            (Some(feed), _) => Ok(question.ask(feed)?),
            (_, Some(process)) => process.ask(question),
            _ => self.run(question),
        }
    }

    /// Asks the command.
    fn run(&self, question: Question) -> Result<Answer, No> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emonfeed"));
        command.arg("get").arg(&self.path).args(["--format", "csv"]);
        if self.how.access == Access::Pread {
            command.arg("--pread");
        }
        if let Some(keep) = &self.how.keep {
            command.arg("--cache").arg(keep);
        }
        match question {
            Question::Rows { start, end } => {
                command.args(["--rows", "--start", &start.to_string()]);
                command.args(["--end", &end.to_string()]);
            }
            Question::Windows { start, count, interval, aggregate } => {
                let end = start + (count - 1) * interval;
                command.args(["--start", &start.to_string(), "--end", &end.to_string()]);
                command.args(["--interval", &interval.to_string()]);
                command.arg(format!("--{aggregate:?}").to_lowercase());
            }
            other => panic!("the command does not answer {other:?}"),
        }
        let output = command.stdin(Stdio::null()).output().expect("the command runs");
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(match said.contains("the file changed while it was read") {
                true => No::Changed,
                false => No::Other(format!("{}: {said}", output.status)),
            });
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        let number = |text: &str| match text {
            "" => f64::NAN,
            text => text.parse().expect("a number"),
        };
        let point = |line: &str| {
            let (time, value) = line.split_once(',').expect("two numbers");
            (number(time), number(value))
        };
        Ok(lines.lines().map(point).collect())
    }

    /// A question like this one that it can be asked: the command reads many
    /// rows piece by piece, each at another moment.
    pub fn fitted(&self, question: Question) -> Option<Question> {
        const PIECE: i64 = 1000;
        match (self.how.by, question) {
            (By::Thread | By::Process, _) | (_, Question::Windows { .. }) => {
                Some(question)
            }
            (By::Command, Question::Rows { start, end }) => {
                Some(Question::Rows { start, end: end.min(start + PIECE * TICK) })
            }
            (By::Command, _) => None,
        }
    }
}

/// The test that answers in another process.
const ANSWERS: &str = "answers";

struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    fn start(path: &Path, how: &How) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", ANSWERS, "--ignored", "--nocapture"])
            .env("EMONFEED_TEST_PATH", path)
            .env("EMONFEED_TEST_PREAD", (how.access == Access::Pread).to_string())
            .env("EMONFEED_TEST_EVIDENCE", (how.evidence as u8).to_string())
            .envs(how.keep.iter().map(|keep| ("EMONFEED_TEST_KEEP", keep)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test binary runs");
        let stdin = child.stdin.take().expect("a pipe");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        while !line.ends_with("ready\n") {
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended: {line}");
        }
        Process { child, stdin, stdout }
    }

    fn ask(&mut self, question: Question) -> Result<Answer, No> {
        let numbers = question.numbers().map(|number| number.to_string());
        writeln!(self.stdin, "{}", numbers.join(" ")).expect("a process that listens");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("an answer");
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("changed") => Err(No::Changed),
            Some("answer") => {
                let numbers: Vec<f64> = words
                    .map(|bits| {
                        u64::from_str_radix(bits, 16).map(f64::from_bits).unwrap()
                    })
                    .collect();
                Ok(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
            }
            Some(_) => Err(No::Other(line)),
            None => panic!("the reading process ended: {:?}", self.child.wait()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other half of [`Process`].
pub fn answer_questions() {
    let variable = std::env::var_os;
    let path = PathBuf::from(variable("EMONFEED_TEST_PATH").expect("a path"));
    let pread = variable("EMONFEED_TEST_PREAD").is_some_and(|text| text == "true");
    let evidence = [Evidence::Nothing, Evidence::Checksum, Evidence::Counters]
        .into_iter()
        .find(|e| {
            variable("EMONFEED_TEST_EVIDENCE")
                .is_some_and(|n| *n == *(*e as u8).to_string())
        })
        .expect("some evidence");
    let options = Options {
        access: if pread { Access::Pread } else { Access::Mmap },
        evidence,
        keep: variable("EMONFEED_TEST_KEEP").map(|keep| Arc::from(Path::new(&keep))),
        no_follow: false,
    };
    let feed = Feed::open_with(&path, options).expect("a feed");
    println!("ready");
    let mut text = String::new();
    let mut stdin = BufReader::new(std::io::stdin());
    while stdin.by_ref().read_line(&mut text).expect("a question") > 0 {
        let numbers: Vec<i64> =
            text.split_ascii_whitespace().map(|word| word.parse().unwrap()).collect();
        let question = Question::of_numbers(numbers.try_into().expect("five numbers"));
        text.clear();
        match question.ask(&feed).map_err(No::from) {
            Ok(answer) => {
                text.push_str("answer");
                for (one, other) in answer {
                    text += &format!(" {:x} {:x}", one.to_bits(), other.to_bits());
                }
                println!("{text}");
            }
            Err(No::Changed) => println!("changed"),
            Err(No::Other(error)) => println!("error {error}"),
        }
        text.clear();
    }
}
