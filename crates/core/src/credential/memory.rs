//! The memory that derivations need: lent to as many at a time as there are processors, kept for a while for the next one, and
//! given back to the system when nobody has derived anything for that long.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argon2::Block;
use zeroize::Zeroize;

use crate::{Error, ErrorCode, Result};

/// The C library of GNU systems gives memory back to the system when it is freed only if the piece is larger than this
/// (`DEFAULT_MMAP_THRESHOLD_MAX`), or the first of its size. So more is reserved; what is not touched takes no memory.
const RESERVED_BLOCKS: usize = if cfg!(target_env = "gnu") { 33 * 1024 } else { 0 };

/// Memory for derivations.
pub struct DerivationMemory {
    /// Derivations at a time.
    limit: usize,
    kept_for: Duration,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    lent: usize,
    /// The one that was used last is at the end.
    kept: Vec<Kept>,
}

struct Kept {
    blocks: Blocks,
    since: Instant,
}

/// Wiped on drop.
#[derive(Default)]
struct Blocks(Vec<Block>);

impl Drop for Blocks {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl DerivationMemory {
    /// For that many derivations at a time; a piece that was not used for `kept_for` may be given back.
    #[must_use]
    pub fn new(limit: usize, kept_for: Duration) -> Self {
        Self {
            limit: limit.max(1),
            kept_for,
            state: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At least that many blocks, once it is somebody's turn. Whoever has some derives and does nothing else meanwhile, so that nobody
    /// waits here for longer than the derivations before his take.
    ///
    /// # Errors
    /// `NativeFault` when there is no memory.
    pub(super) fn take(&self, count: usize) -> Result<Lent<'_>> {
        let mut state = self.lock();
        while state.lent >= self.limit {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.lent += 1;
        let kept = state.kept.pop();
        drop(state);
        // From here on given back whatever happens.
        let mut lent = Lent {
            memory: self,
            blocks: kept.map_or_else(Blocks::default, |kept| kept.blocks),
        };
        if lent.blocks.0.len() < count {
            // By replacing, not by `Vec::resize`: a moved buffer would leave its old content behind unwiped.
            lent.blocks = Blocks::default();
            lent.blocks = allocate(count)?;
        }
        Ok(lent)
    }

    /// Gives back what was not used for long enough. Whether anything is still kept.
    pub fn give_back_unused(&self) -> bool {
        let mut state = self.lock();
        let old = self.unused(&mut state);
        let is_kept = !state.kept.is_empty();
        drop(state);
        // Wiping takes milliseconds; nobody waits for it.
        drop(old);
        is_kept
    }

    /// The oldest ones are at the beginning.
    fn unused(&self, state: &mut State) -> Vec<Kept> {
        let now = Instant::now();
        let fresh = state
            .kept
            .iter()
            .position(|kept| now.saturating_duration_since(kept.since) < self.kept_for);
        state.kept.drain(..fresh.unwrap_or(state.kept.len())).collect()
    }

    /// Pieces kept for the next derivation.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.lock().kept.len()
    }
}

impl Default for DerivationMemory {
    /// For one derivation at a time.
    fn default() -> Self {
        Self::new(1, Duration::MAX)
    }
}

fn allocate(count: usize) -> Result<Blocks> {
    let mut blocks = Vec::new();
    // Where so much address space is not to be had, what is needed may be.
    if count >= RESERVED_BLOCKS || blocks.try_reserve_exact(RESERVED_BLOCKS).is_err() {
        blocks.try_reserve_exact(count).map_err(|error| {
            Error::new(
                ErrorCode::NativeFault,
                format!("There is no memory to derive a PIN ({count} KiB are needed): {error}."),
            )
            .action("Free memory on this computer, then run the command again.")
            .caused_by(error)
        })?;
    }
    blocks.resize(count, Block::default());
    Ok(Blocks(blocks))
}

/// Memory for one derivation, given back on drop.
pub(super) struct Lent<'a> {
    memory: &'a DerivationMemory,
    blocks: Blocks,
}

impl Deref for Lent<'_> {
    type Target = [Block];

    fn deref(&self) -> &[Block] {
        &self.blocks.0
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut [Block] {
        &mut self.blocks.0
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let blocks = std::mem::take(&mut self.blocks);
        let mut state = self.memory.lock();
        state.lent -= 1;
        let old = self.memory.unused(&mut state);
        if !blocks.0.is_empty() {
            state.kept.push(Kept {
                blocks,
                since: Instant::now(),
            });
        }
        drop(state);
        self.memory.returned.notify_one();
        drop(old);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_is_lent_than_may_be_used_at_a_time_and_the_same_memory_is_used_again() {
        let memory = Arc::new(DerivationMemory::new(2, Duration::MAX));
        let (using, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let lent = memory.take(64).expect("64 KiB");
                        most.fetch_max(using.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        using.fetch_sub(1, Ordering::SeqCst);
                        drop(lent);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 2, "{most:?} at a time");
        assert!((1..=2).contains(&memory.kept()), "{} pieces", memory.kept());
    }

    #[test]
    fn what_nobody_used_for_a_while_is_given_back_also_while_other_memory_is_in_use() {
        let memory = DerivationMemory::new(2, Duration::ZERO);
        let (one, other) = (memory.take(64).expect("memory"), memory.take(64).expect("memory"));
        drop(one);
        assert_eq!(memory.kept(), 1);
        drop(other);
        assert_eq!(memory.kept(), 1, "the older one was given back with the next return");
        assert!(!memory.give_back_unused());
        assert_eq!(memory.kept(), 0);
    }

    #[test]
    fn a_larger_derivation_gets_larger_memory() {
        let memory = DerivationMemory::default();
        drop(memory.take(64).expect("memory"));
        assert_eq!(memory.take(128).expect("memory").len(), 128);
        assert_eq!(
            memory.take(64).expect("memory").len(),
            128,
            "the larger piece serves, too"
        );
    }

    #[test]
    fn a_turn_is_over_when_there_was_no_memory() {
        let memory = DerivationMemory::default();
        assert!(memory.take(usize::MAX).is_err());
        assert!(memory.take(8).is_ok(), "the next one does not wait for ever");
    }
}
