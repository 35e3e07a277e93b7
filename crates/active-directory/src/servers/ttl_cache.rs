//! A cache whose entries expire, for the results of slow look-ups.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a value is kept.
const POSITIVE_TTL: Duration = Duration::from_secs(600);
/// How long an error is kept.
const NEGATIVE_TTL: Duration = Duration::from_secs(60);
/// Values by key. One caller at a time looks a key up; the others wait for its result.
pub(crate) struct TtlCache<K, T>(Mutex<HashMap<K, Arc<Mutex<CacheSlot<T>>>>>);

/// A result and when it expires.
type CacheSlot<T> = Option<(Instant, LookupResult<T>)>;

/// A value, or why the look-up failed.
pub(crate) type LookupResult<T> = Result<T, String>;

impl<K, T> Default for TtlCache<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: std::hash::Hash + Eq, T: Clone> TtlCache<K, T> {
    /// Returns the cached result, or looks it up. If the look-up fails, the previous value stays in use.
    pub(super) fn get(&self, key: K, find: impl FnOnce() -> LookupResult<T>) -> LookupResult<T> {
        let slot = Arc::clone(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key)
                .or_default(),
        );
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((until, cached)) = slot.as_ref()
            && Instant::now() < *until
        {
            return cached.clone();
        }
        let (found, ttl) = match (find(), slot.take()) {
            (Ok(found), _) => (Ok(found), POSITIVE_TTL),
            (Err(_), Some((_, Ok(before)))) => (Ok(before), NEGATIVE_TTL),
            (Err(why), _) => (Err(why), NEGATIVE_TTL),
        };
        *slot = Some((Instant::now() + ttl, found.clone()));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_look_up_keeps_the_previous_value() {
        let cache = TtlCache::<&str, u8>::default();
        assert_eq!(cache.get("a", || Err("no".to_owned())), Err("no".to_owned()));
        assert_eq!(cache.get("a", || Ok(1)), Err("no".to_owned()), "errors are cached");
        assert_eq!(cache.get("b", || Ok(2)), Ok(2));
        let slot = Arc::clone(&cache.0.lock().unwrap()["b"]);
        slot.lock().unwrap().as_mut().unwrap().0 = Instant::now();
        assert_eq!(cache.get("b", || Err("gone".to_owned())), Ok(2));
    }
}
