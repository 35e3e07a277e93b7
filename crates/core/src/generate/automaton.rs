//! Counts and numbers the digit strings of one length that contain none of the given patterns (Aho–Corasick).

const DIGITS: usize = 10;

/// The automaton's states are the prefixes of the patterns; the root, state 0, is the empty prefix.
pub(super) struct Automaton {
    /// Per state and digit, the next state; `None` where a pattern would be complete.
    next: Vec<[Option<usize>; DIGITS]>,
    /// Per number of digits still to come, per state: how many continuations contain no pattern. 10^24 fits.
    continuations: Vec<Vec<u128>>,
}

impl Automaton {
    /// For strings of `length` digits (values 0–9, at most 38 of them) without any of the patterns; empty ones are ignored.
    pub(super) fn new(patterns: &[Vec<u8>], length: usize) -> Self {
        let next = transitions(
            patterns
                .iter()
                // A longer one cannot be contained.
                .filter(|pattern| (1..=length).contains(&pattern.len())),
        );
        let mut continuations = vec![vec![1u128; next.len()]];
        for remaining in 0..length {
            let fewer = &continuations[remaining];
            let counts = next
                .iter()
                .map(|row| row.iter().flatten().map(|state| fewer[*state]).sum())
                .collect();
            continuations.push(counts);
        }
        Self { next, continuations }
    }

    /// How many strings there are. The root always exists, but a single-digit pattern forbids its digit even there.
    pub(super) fn count(&self) -> u128 {
        self.continuations.last().map_or(0, |counts| counts[0])
    }

    /// The position of a string of the right length in ascending order; `None` when it contains a pattern.
    pub(super) fn rank(&self, digits: &[u8]) -> Option<u128> {
        let mut state = 0;
        let mut rank = 0;
        for (fewer, digit) in self.steps().zip(digits) {
            let digit = usize::from(*digit);
            rank += self.next[state][..digit]
                .iter()
                .flatten()
                .map(|smaller| fewer[*smaller])
                .sum::<u128>();
            state = self.next[state][digit]?;
        }
        Some(rank)
    }

    /// Hands out, one by one, the digits of the string at a position below [`Self::count`].
    pub(super) fn unrank(&self, mut rank: u128, mut push: impl FnMut(u8)) {
        let mut state = 0;
        for fewer in self.steps() {
            for (digit, next) in (0u8..).zip(self.next[state]) {
                let Some(next) = next else { continue };
                if rank < fewer[next] {
                    push(digit);
                    state = next;
                    break;
                }
                rank -= fewer[next];
            }
        }
    }

    /// Per digit from the first: the continuations after it.
    fn steps(&self) -> impl Iterator<Item = &Vec<u128>> {
        self.continuations.iter().rev().skip(1)
    }
}

fn transitions<'a>(patterns: impl Iterator<Item = &'a Vec<u8>>) -> Vec<[Option<usize>; DIGITS]> {
    let mut trie: Vec<[Option<usize>; DIGITS]> = vec![[None; DIGITS]];
    let mut is_pattern = vec![false];
    for pattern in patterns {
        let mut state = 0;
        for digit in pattern {
            let fresh = trie.len();
            state = *trie[state][usize::from(*digit)].get_or_insert(fresh);
            if state == fresh {
                trie.push([None; DIGITS]);
                is_pattern.push(false);
            }
        }
        is_pattern[state] = true;
    }

    // Breadth first: the longest proper suffix of a state that is itself a state is shorter, so its row is complete already.
    let mut suffix = vec![0; trie.len()];
    let mut full = vec![[0; DIGITS]; trie.len()];
    let mut queue = std::collections::VecDeque::from([0]);
    while let Some(state) = queue.pop_front() {
        is_pattern[state] |= is_pattern[suffix[state]];
        for digit in 0..DIGITS {
            let fallback = if state == 0 { 0 } else { full[suffix[state]][digit] };
            full[state][digit] = trie[state][digit].unwrap_or(fallback);
            if let Some(child) = trie[state][digit] {
                suffix[child] = fallback;
                queue.push_back(child);
            }
        }
    }
    full.into_iter()
        .map(|row| row.map(|state| (!is_pattern[state]).then_some(state)))
        .collect()
}
