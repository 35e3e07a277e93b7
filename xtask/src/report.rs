//! What the parts of `cargo xtask test` came to.

use std::fmt::Write as _;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Did what they should.
    pub passed: usize,
    /// Did not.
    pub failed: usize,
    /// Were left out.
    pub skipped: usize,
}

impl Counts {
    /// One check that passed.
    pub const ONE: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The result of one part.
#[derive(Debug)]
pub enum Outcome {
    /// It ran to its end.
    Ran(Counts),
    /// It could not run here, and why.
    NotRun(String),
}

struct Part {
    name: String,
    counts: Counts,
    problem: Option<String>,
    not_run: bool,
    time: Duration,
}

/// All parts so far.
#[derive(Default)]
pub struct Report {
    parts: Vec<Part>,
}

impl Report {
    /// Runs a part and notes what came of it; an error is a failure of that part, not the end of all.
    pub fn part(&mut self, name: &str, run: impl FnOnce() -> Result<Outcome>) {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let outcome = run();
        if let Err(error) = &outcome {
            eprintln!("{name}: {error:#}");
        }
        self.note(name, outcome, start.elapsed());
    }

    fn note(&mut self, name: &str, outcome: Result<Outcome>, time: Duration) {
        let (counts, problem, not_run) = match outcome {
            Ok(Outcome::Ran(counts)) if counts.passed + counts.failed == 0 => {
                (Counts::default(), Some("no test ran at all".to_owned()), false)
            }
            Ok(Outcome::Ran(counts)) => (counts, None, false),
            Ok(Outcome::NotRun(why)) => (Counts::default(), Some(why), true),
            // The first line; the whole has been printed where it happened.
            Err(error) => {
                let text = format!("{error:#}");
                (
                    Counts::default(),
                    Some(text.lines().next().unwrap_or_default().to_owned()),
                    false,
                )
            }
        };
        self.parts.push(Part {
            name: name.to_owned(),
            counts,
            problem,
            not_run,
            time,
        });
    }

    /// Is everything as it should be? Where nothing may be left out, a part that did not run is a failure.
    pub fn succeeded(&self, complete: bool) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.good(complete))
    }

    /// The table and the line below it.
    pub fn summary(&self, complete: bool) -> String {
        let width = self.parts.iter().map(|part| part.name.len()).max().unwrap_or(0);
        let mut text = String::from("\n");
        let mut total = Counts::default();
        for part in &self.parts {
            let verdict = if part.not_run {
                "NOT RUN"
            } else if part.good(complete) {
                "passed"
            } else {
                "FAILED"
            };
            let _ = write!(
                text,
                "{:width$}  {verdict:7}  {:5.1} s  ",
                part.name,
                part.time.as_secs_f64()
            );
            match &part.problem {
                Some(problem) => {
                    let _ = writeln!(text, "{problem}");
                }
                None => {
                    let _ = writeln!(text, "{}", line(part.counts));
                }
            }
            let mut counts = part.counts;
            if part.not_run {
                counts.skipped += 1;
            } else if part.problem.is_some() {
                counts.failed += 1;
            }
            total += counts;
        }
        let _ = writeln!(text, "\n{}", line(total));
        for part in self.parts.iter().filter(|part| part.not_run) {
            let _ = writeln!(
                text,
                "NOT RUN: {}: {}{}",
                part.name,
                part.problem.as_deref().unwrap_or_default(),
                if complete { " (a failure, because CI=true)" } else { "" }
            );
        }
        text
    }
}

impl Part {
    fn good(&self, complete: bool) -> bool {
        if self.not_run {
            !complete
        } else {
            self.problem.is_none() && self.counts.failed == 0
        }
    }
}

fn line(counts: Counts) -> String {
    format!(
        "{} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.skipped
    )
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn report(outcomes: Vec<Result<Outcome>>) -> Report {
        let mut report = Report::default();
        for (index, outcome) in outcomes.into_iter().enumerate() {
            report.note(&format!("part {index}"), outcome, Duration::ZERO);
        }
        report
    }

    #[test]
    fn what_did_not_run_fails_only_where_nothing_may_be_left_out() {
        let report = report(vec![
            Ok(Outcome::Ran(Counts::ONE)),
            Ok(Outcome::NotRun("no PowerShell".into())),
        ]);
        assert!(report.succeeded(false));
        assert!(!report.succeeded(true));
        let text = report.summary(true);
        assert!(text.contains("\n1 passed, 0 failed, 1 skipped\n"), "{text}");
        assert!(
            text.trim_end()
                .ends_with("NOT RUN: part 1: no PowerShell (a failure, because CI=true)"),
            "{text}"
        );
    }

    #[test]
    fn failures_errors_and_empty_runs_fail() {
        let failed = Counts {
            passed: 2,
            failed: 1,
            skipped: 0,
        };
        for outcome in [
            Ok(Outcome::Ran(failed)),
            Ok(Outcome::Ran(Counts::default())),
            Err(anyhow!("broken")),
        ] {
            let report = report(vec![Ok(Outcome::Ran(Counts::ONE)), outcome]);
            assert!(!report.succeeded(false));
            let text = report.summary(false);
            assert!(text.contains("FAILED") && text.contains(" 1 failed"), "{text}");
        }
        assert!(!Report::default().succeeded(false));
    }
}
