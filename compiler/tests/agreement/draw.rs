//! Choices: all that a generated program is made of.
//!
//! A program is a function of the numbers drawn here, 0 being the plainest choice everywhere. So a
//! program is made smaller by making its numbers fewer and smaller, and a failure is repeated from
//! its seed.

/// Numbers drawn from a seed, or drawn before and repeated.
pub struct Draw {
    /// What was drawn, or is to be drawn again.
    pub tape: Vec<u32>,
    at: usize,
    /// State of the generator; none where the tape is repeated, which goes on with zeros.
    state: Option<u64>,
}

impl Draw {
    /// New numbers.
    pub fn from_seed(seed: u64) -> Draw {
        Draw {
            tape: Vec::new(),
            at: 0,
            state: Some(seed),
        }
    }

    /// The numbers of `tape`.
    pub fn again(tape: Vec<u32>) -> Draw {
        Draw {
            tape,
            at: 0,
            state: None,
        }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        let drawn = match &mut self.state {
            Some(state) => {
                let drawn = (next(state) % n as u64) as u32;
                self.tape.push(drawn);
                drawn
            }
            None => self.tape.get(self.at).copied().unwrap_or(0),
        };
        self.at += 1;
        drawn as usize % n
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        // 0 is the plainest: false.
        self.below(n) == n - 1
    }

    /// One of a list.
    pub fn one<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The smallest tape that is found for which `holds` is true, beginning with one for which it is.
pub fn shrink(mut tape: Vec<u32>, mut tries: usize, holds: impl Fn(&[u32]) -> bool) -> Vec<u32> {
    let mut attempt = |tape: &mut Vec<u32>, smaller: Vec<u32>| {
        if tries == 0 || smaller == *tape {
            return false;
        }
        tries -= 1;
        let good = holds(&smaller);
        if good {
            *tape = smaller;
        }
        good
    };
    loop {
        let before = tape.clone();
        let mut len = tape.len();
        while len > 0 {
            let mut at = 0;
            while at < tape.len() {
                let end = (at + len).min(tape.len());
                let mut without = tape.clone();
                without.drain(at..end);
                if attempt(&mut tape, without) {
                    continue;
                }
                let mut zeros = tape.clone();
                zeros[at..end].fill(0);
                attempt(&mut tape, zeros);
                at = end;
            }
            len /= 2;
        }
        for at in 0..tape.len() {
            while let Some(&n @ 1..) = tape.get(at) {
                let mut less = tape.clone();
                less[at] = n / 2;
                let mut fewer = tape.clone();
                fewer[at] = n - 1;
                if !attempt(&mut tape, less) && !attempt(&mut tape, fewer) {
                    break;
                }
            }
        }
        if tape == before {
            return tape;
        }
    }
}
