//! The memory of key derivations. A limited number of derivations runs at a time; their buffers are kept for the next ones, and
//! freed when they are idle for long enough.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argon2::Block;
use zeroize::Zeroize;

use crate::{Error, ErrorCode, Result};

/// glibc returns freed memory to the system only if the allocation was larger than this (`DEFAULT_MMAP_THRESHOLD_MAX`), or the
/// first of its size. So each buffer reserves at least as much; pages that are not touched take no memory.
const RESERVED_BLOCKS: usize = if cfg!(target_env = "gnu") { 33 * 1024 } else { 0 };

/// A pool of buffers for derivations.
pub struct KdfMemory {
    /// Derivations at a time.
    limit: usize,
    idle_timeout: Duration,
    pool: Mutex<Pool>,
    released: Condvar,
}

#[derive(Default)]
struct Pool {
    in_use: usize,
    /// Ordered by time of last use, the latest at the end.
    idle: Vec<IdleBuffer>,
}

struct IdleBuffer {
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

impl KdfMemory {
    /// A pool for at most `limit` derivations at a time; a buffer that is idle for `idle_timeout` may be freed.
    #[must_use]
    pub fn new(limit: usize, idle_timeout: Duration) -> Self {
        Self {
            limit: limit.max(1),
            idle_timeout,
            pool: Mutex::default(),
            released: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until fewer derivations than the limit run, then returns at least `count` blocks. The caller derives and does
    /// nothing else until it drops them, so that a wait is as long as the derivations before it.
    ///
    /// # Errors
    /// `NativeFault` when there is no memory.
    pub(super) fn acquire(&self, count: usize) -> Result<KdfBuffer<'_>> {
        let mut pool = self.lock();
        while pool.in_use >= self.limit {
            pool = self.released.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        pool.in_use += 1;
        let idle = pool.idle.pop();
        drop(pool);
        // Dropping the buffer decrements `in_use`, also when the allocation below fails.
        let mut buffer = KdfBuffer {
            memory: self,
            blocks: idle.map_or_else(Blocks::default, |idle| idle.blocks),
        };
        if buffer.blocks.0.len() < count {
            // Replaced, because `Vec::resize` may move the content and leaves the old copy unwiped.
            buffer.blocks = Blocks::default();
            buffer.blocks = allocate(count)?;
        }
        Ok(buffer)
    }

    /// Frees the buffers that are idle for long enough. Returns whether any buffer is left.
    pub fn free_idle(&self) -> bool {
        let mut pool = self.lock();
        let expired = self.take_expired(&mut pool);
        let is_any_left = !pool.idle.is_empty();
        drop(pool);
        // After unlocking, because wiping takes milliseconds.
        drop(expired);
        is_any_left
    }

    fn take_expired(&self, pool: &mut Pool) -> Vec<IdleBuffer> {
        let now = Instant::now();
        let fresh = pool
            .idle
            .iter()
            .position(|buffer| now.saturating_duration_since(buffer.since) < self.idle_timeout);
        pool.idle.drain(..fresh.unwrap_or(pool.idle.len())).collect()
    }

    /// The number of idle buffers.
    #[must_use]
    pub fn idle_count(&self) -> usize {
        self.lock().idle.len()
    }
}

impl Default for KdfMemory {
    /// For one derivation at a time.
    fn default() -> Self {
        Self::new(1, Duration::MAX)
    }
}

fn allocate(count: usize) -> Result<Blocks> {
    let mut blocks = Vec::new();
    // Without address space for the reservation, `count` blocks may still fit.
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

/// The memory of one derivation, returned to the pool on drop.
pub(super) struct KdfBuffer<'a> {
    memory: &'a KdfMemory,
    blocks: Blocks,
}

impl Deref for KdfBuffer<'_> {
    type Target = [Block];

    fn deref(&self) -> &[Block] {
        &self.blocks.0
    }
}

impl DerefMut for KdfBuffer<'_> {
    fn deref_mut(&mut self) -> &mut [Block] {
        &mut self.blocks.0
    }
}

impl Drop for KdfBuffer<'_> {
    fn drop(&mut self) {
        let blocks = std::mem::take(&mut self.blocks);
        let mut pool = self.memory.lock();
        pool.in_use -= 1;
        let expired = self.memory.take_expired(&mut pool);
        if !blocks.0.is_empty() {
            pool.idle.push(IdleBuffer {
                blocks,
                since: Instant::now(),
            });
        }
        drop(pool);
        self.memory.released.notify_one();
        drop(expired);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn the_limit_holds_and_buffers_are_reused() {
        let memory = Arc::new(KdfMemory::new(2, Duration::MAX));
        let (using, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let buffer = memory.acquire(64).expect("64 KiB");
                        most.fetch_max(using.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        using.fetch_sub(1, Ordering::SeqCst);
                        drop(buffer);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 2, "{most:?} at a time");
        assert!(
            (1..=2).contains(&memory.idle_count()),
            "{} idle buffers",
            memory.idle_count()
        );
    }

    #[test]
    fn expired_buffers_are_freed_also_while_others_are_in_use() {
        let memory = KdfMemory::new(2, Duration::ZERO);
        let (one, other) = (memory.acquire(64).expect("memory"), memory.acquire(64).expect("memory"));
        drop(one);
        assert_eq!(memory.idle_count(), 1);
        drop(other);
        assert_eq!(
            memory.idle_count(),
            1,
            "the older buffer is freed when the other is returned"
        );
        assert!(!memory.free_idle());
        assert_eq!(memory.idle_count(), 0);
    }

    #[test]
    fn a_larger_derivation_gets_a_larger_buffer() {
        let memory = KdfMemory::default();
        drop(memory.acquire(64).expect("memory"));
        assert_eq!(memory.acquire(128).expect("memory").len(), 128);
        assert_eq!(
            memory.acquire(64).expect("memory").len(),
            128,
            "the larger buffer is reused"
        );
    }

    #[test]
    fn a_failed_allocation_does_not_count_as_in_use() {
        let memory = KdfMemory::default();
        assert!(memory.acquire(usize::MAX).is_err());
        assert!(memory.acquire(8).is_ok(), "the next derivation does not wait");
    }
}
