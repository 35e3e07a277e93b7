//! Commands for the writer thread: typed closures with what the writer must know about each, and the channel of their replies.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;

use super::error::{StoreError, StoreResult};
use umpin_core::Result;
use umpin_core::cancellation::Cancellation;
use umpin_core::directory::Applied;

type Run<T> = Box<dyn Fn(&Connection) -> StoreResult<T> + Send>;
type IsInForce<T> = Box<dyn Fn(&Connection, &T) -> StoreResult<bool> + Send>;

/// A change, run inside a transaction. It may run again: a group without a cancelled change is repeated.
pub(super) struct Command<T> {
    run: Run<T>,
    is_in_force: IsInForce<T>,
    is_committed: fn(&T) -> bool,
    is_durable: bool,
    wipes_log: bool,
    cancellation: Option<Cancellation>,
}

impl<T> Command<T> {
    /// A command whose reply waits for the sync.
    pub(super) fn new(run: impl Fn(&Connection) -> StoreResult<T> + Send + 'static) -> Self {
        Self {
            run: Box::new(run),
            is_in_force: Box::new(|_, _| Ok(false)),
            is_committed: |_| false,
            is_durable: true,
            wipes_log: false,
            cancellation: None,
        }
    }

    /// Lets the reply come before a sync: the command may be lost by a power failure.
    pub(super) fn without_sync(mut self) -> Self {
        self.is_durable = false;
        self
    }

    /// Adds the query that tells, after a commit that reported an error, whether the change is in force.
    pub(super) fn confirmed_by(
        mut self,
        is_in_force: impl Fn(&Connection, &T) -> StoreResult<bool> + Send + 'static,
    ) -> Self {
        self.is_in_force = Box::new(is_in_force);
        self
    }

    /// Truncates the write-ahead log before the reply, so that what was deleted is gone from it too.
    pub(super) fn wiping_log(mut self) -> Self {
        self.wipes_log = true;
        self
    }
}

impl Command<Applied> {
    /// A compare-and-swap, which may be cancelled until its commit point.
    pub(super) fn change<C: Send + Sync + 'static>(
        change: C,
        cancellation: Cancellation,
        apply: fn(&Connection, &C) -> StoreResult<Applied>,
        is_in_force: fn(&Connection, &C) -> StoreResult<bool>,
    ) -> Self {
        let change = std::sync::Arc::new(change);
        let again = std::sync::Arc::clone(&change);
        let mut command =
            Self::new(move |connection| apply(connection, &change)).confirmed_by(move |connection, applied| {
                Ok(*applied == Applied::Committed && is_in_force(connection, &again)?)
            });
        command.is_committed = |applied| *applied == Applied::Committed;
        command.cancellation = Some(cancellation);
        command
    }
}

/// A queued command, whatever its result.
pub(super) trait Job: Send {
    fn cancellation(&self) -> Option<&Cancellation>;
    fn is_durable(&self) -> bool;
    fn wipes_log(&self) -> bool;
    /// Runs the command and keeps its result. False: it failed.
    fn run(&mut self, connection: &Connection) -> bool;
    fn set_error(&mut self, error: StoreError);
    fn take_error(&mut self) -> Option<StoreError>;
    /// Whether the result is a change that passes the commit point.
    fn is_committed(&self) -> bool;
    /// Whether the change is in force although the commit reported an error.
    fn is_in_force(&self, connection: &Connection) -> StoreResult<bool>;
    /// Replies with the result. The receiver may be gone.
    fn reply(self: Box<Self>, store: &Path);
    /// Replies with the error of the whole group.
    fn reply_error(self: Box<Self>, error: umpin_core::Error);
}

/// The commands of a transaction.
pub(super) type Group = Vec<Box<dyn Job>>;

struct Queued<T> {
    command: Command<T>,
    result: Option<StoreResult<T>>,
    sender: Sender<Result<T>>,
}

/// A command for the queue, and the receiver of its reply.
pub(super) fn queued<T: Send + 'static>(command: Command<T>) -> (Box<dyn Job>, Receiver<Result<T>>) {
    let (sender, receiver) = channel();
    let job = Queued {
        command,
        result: None,
        sender,
    };
    (Box::new(job), receiver)
}

impl<T: Send> Job for Queued<T> {
    fn cancellation(&self) -> Option<&Cancellation> {
        self.command.cancellation.as_ref()
    }

    fn is_durable(&self) -> bool {
        self.command.is_durable
    }

    fn wipes_log(&self) -> bool {
        self.command.wipes_log
    }

    fn run(&mut self, connection: &Connection) -> bool {
        let result = (self.command.run)(connection);
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn set_error(&mut self, error: StoreError) {
        self.result = Some(Err(error));
    }

    fn take_error(&mut self) -> Option<StoreError> {
        self.result.take().and_then(Result::err)
    }

    fn is_committed(&self) -> bool {
        matches!(&self.result, Some(Ok(result)) if (self.command.is_committed)(result))
    }

    fn is_in_force(&self, connection: &Connection) -> StoreResult<bool> {
        match &self.result {
            Some(Ok(result)) => (self.command.is_in_force)(connection, result),
            _ => Ok(false),
        }
    }

    fn reply(self: Box<Self>, store: &Path) {
        let Self { result, sender, .. } = *self;
        if let Some(result) = result {
            let _ = sender.send(result.map_err(|error| error.at(store)));
        }
    }

    fn reply_error(self: Box<Self>, error: umpin_core::Error) {
        let _ = self.sender.send(Err(error));
    }
}
