//! Active Directory for whatever is tested on it: the forest of the Rust tests (`tests/active_directory/harness`), kept for a while.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{directory, process};

/// A forest with one domain controller, which ends with this.
#[derive(Debug)]
pub struct Forest {
    child: Child,
    process: u64,
    /// What that process says about it, for those who connect.
    pub description: Value,
}

impl Forest {
    /// Starts it, and makes its template first where there is none.
    pub fn start() -> Result<Self> {
        let mut command = directory::tests();
        command
            .args([
                "--",
                "--ignored",
                "--exact",
                "keep_forest::keeps_a_forest",
                "--nocapture",
            ])
            // It ends when nobody holds this any more.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        eprintln!("> {}", process::shown(&command));
        let mut child = command.spawn().context("cannot start cargo")?;
        let mut lines = BufReader::new(child.stdout.take().context("standard output is a pipe")?).lines();
        let said = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("FOREST ").map(str::to_owned));
        let Some(said) = said else {
            bail!("the forest did not start: {}", child.wait()?);
        };
        // A full pipe would stop it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let description: Value = serde_json::from_str(&said)?;
        Ok(Self {
            child,
            process: description["process"].as_u64().context("a process id")?,
            description,
        })
    }

    /// The command as it runs there, where the names of the controllers resolve, in the root folder.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside
            .arg(format!("--target={}", self.process))
            .args(["--net", "--mount", "--uts", "--pid", "--"])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }
}

impl Drop for Forest {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
