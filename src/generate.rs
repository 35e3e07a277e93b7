//! PIN generation: unbiased digits from the operating system's random number generator.
