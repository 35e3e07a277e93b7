//! How long a negative answer takes tells nothing, however many calls there are at once. `cargo xtask test --all` runs these
//! tests with no other beside them. What is measured here is counted in `tests/it/signin/alike.rs`.

mod comparison;
mod measured;
mod rank;

use crate::signin::kinds;
use crate::support::attempt;
