//! Running the program: commands to their end, servers until they are stopped.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Longest wait for a line of a process: a loaded machine is slow, a test that hangs tells nothing.
const LINE_WAIT: Duration = Duration::from_secs(30);

/// Longest run of a command that ends by itself.
const END_WAIT: Duration = Duration::from_secs(40);

/// The program with `arguments` and nothing of this process's configuration.
pub(crate) fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedwire"));
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "RUST_LOG",
        "FEEDWIRE_SERVER",
        "FEEDWIRE_PROJECT",
        "FEEDWIRE_DATA",
        "FEEDWIRE_LISTEN",
        "FEEDWIRE_METRICS_LISTEN",
        "FEEDWIRE_TLS_CERT",
        "FEEDWIRE_TLS_KEY",
        "FEEDWIRE_CA_FILE",
        "FEEDWIRE_TOKEN",
        "FEEDWIRE_TOKEN_FILE",
        "FEEDWIRE_MASTER_KEY",
        "FEEDWIRE_MASTER_KEY_FILE",
        "FEEDWIRE_PUBLIC_URL",
        "FEEDWIRE_MIN_FREE",
    ] {
        command.env_remove(name);
    }
    command
}

/// A process whose lines are read as they come; ended when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stdout = Lines::of(child.stdout.take().expect("it is piped"));
        let stderr = Lines::of(child.stderr.take().expect("it is piped"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// What the process reads; it has to be piped.
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("it is piped")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().expect("the process is ours")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended long since.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Lines as they come.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(100_000);
        std::thread::spawn(move || {
            let lines = BufReader::new(source).lines().map_while(Result::ok);
            lines
                .map_while(|line| sender.send(line).ok())
                .for_each(drop);
        });
        Self(receiver)
    }

    /// The next line that has `part` in it.
    pub(crate) fn until(&self, part: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.0.recv_timeout(LINE_WAIT) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with {part:?} ({error}), but {seen:#?}"),
            }
        }
    }

    /// What is left, to the end of the process.
    pub(crate) fn rest(&self) -> Vec<String> {
        let mut rest = Vec::new();
        loop {
            match self.0.recv_timeout(LINE_WAIT) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => return rest,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {rest:#?}"),
            }
        }
    }
}

/// A server on a folder, on a free port.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: String,
    /// What proves to it who runs the commands.
    token: Option<String>,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &["--listen", "127.0.0.1:0"])
    }

    pub(crate) fn start_with(data: &Path, options: &[&str]) -> Self {
        let mut command = command(["serve", "--dev", "--data"]);
        Self::of(Process::start(command.arg(data).args(options)))
    }

    /// The server that `process` is, once it listens.
    pub(crate) fn of(process: Process) -> Self {
        let line = process.stdout.until("serving ");
        let (_, address) = line.rsplit_once(' ').expect("a whole line");
        let address = address.to_owned();
        Self {
            process,
            address,
            token: None,
        }
    }

    /// The same, for whoever `token` is of.
    pub(crate) fn for_token(self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self
        }
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = command(arguments);
        command.env("FEEDWIRE_SERVER", &self.address);
        if let Some(token) = &self.token {
            command.env("FEEDWIRE_TOKEN", token);
        }
        command
    }

    /// Runs a command against this server to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        run(&mut self.command(arguments))
    }

    /// As [`Server::run`], as whoever `token` is of.
    pub(crate) fn run_as(&self, token: &str, arguments: &[&str]) -> Ended {
        run(self.command(arguments).env("FEEDWIRE_TOKEN", token))
    }

    /// As [`Server::run`], with `input` on stdin.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command(arguments);
        let command = command.stdin(Stdio::piped());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).expect("it is read");
        drop(stdin);
        finish(child)
    }

    /// Starts a command against this server.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Process {
        Process::start(&mut self.command(arguments))
    }

    /// As [`Server::spawn`], as whoever `token` is of.
    pub(crate) fn spawn_as(&self, token: &str, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments).env("FEEDWIRE_TOKEN", token))
    }

    /// Stops it in good order.
    pub(crate) fn stop(self) -> ExitStatus {
        self.process.signal(Signal::TERM);
        self.process.ended()
    }
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// What it printed, if it ended well.
    pub(crate) fn printed(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// What it said, if it failed with `code`.
    pub(crate) fn complained(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self.stderr
    }
}

/// Runs `command` to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    finish(child.expect("the program starts"))
}

/// Waits for the end of `child`; one that does not come is made.
fn finish(child: Child) -> Ended {
    let pid = Pid::from_child(&child);
    let (sender, ended) = sync_channel(1);
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = ended.recv_timeout(END_WAIT).unwrap_or_else(|_| {
        kill_process(pid, Signal::KILL).expect("it still runs");
        panic!("the program did not end");
    });
    Ended::new(&output.expect("the process is ours"))
}
