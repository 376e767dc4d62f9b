//! Kamailio's `cfgutils`: chance, waiting, flags of the server, routes by name.

use std::sync::atomic::{AtomicI64, AtomicU32};

/// What all workers share.
struct State {
    /// The probability of `rand_event()`, in percent.
    probability: AtomicI64,
    /// Flags of the server.
    flags: AtomicU32,
}

/// A random number. Not for secrets.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0u8)
}

/// The hash of Kamailio's core over two texts, from 1 to 2 to the power of `bits`.
fn core_hash(first: &[u8], second: &[u8], bits: i64) -> i64 {
    let mut hash = 0u32;
    for text in [first, second] {
        for chunk in text.chunks(4) {
            let word = chunk
                .iter()
                .fold(0u32, |word, c| (word << 8).wrapping_add(u32::from(*c)));
            hash = hash.wrapping_add(word ^ (word >> 3));
        }
    }
    hash = hash
        .wrapping_add(hash >> 11)
        .wrapping_add(hash >> 13)
        .wrapping_add(hash >> 23);
    let size = match bits {
        1..=30 => 1u32 << bits,
        _ => 2,
    };
    i64::from(hash & (size - 1)) + 1
}

/// Chance, waiting, flags of the server, routes by name.
#[kcc_macros::module(name = "cfgutils")]
pub mod exports {
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    use super::{State, random};
    use kcc_runtime::abi::status;
    use kcc_runtime::declare::{Int, Routes, Text};
    use kcc_runtime::init::Init;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;

    /// Parameters of `cfgutils`.
    #[params]
    pub struct Params {
        /// The probability of `rand_event()` at the start, in percent.
        #[param(default = 10)]
        pub initial_probability: i64,
        /// Flags of the server that are set at the start, as a mask.
        #[param(default = 0)]
        pub initial_gflags: i64,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        let params = init.program.params::<Params>();
        if !(0..=100).contains(&params.initial_probability) {
            return Err("initial_probability: 0 to 100 is expected".to_owned());
        }
        let state = State {
            probability: params.initial_probability.into(),
            flags: u32::try_from(params.initial_gflags)
                .map_err(|_| "initial_gflags: a mask of 32 flags is expected")?
                .into(),
        };
        init.shared.provide(state);
        Ok(())
    }

    fn state(run: &Run) -> Result<&State, &'static str> {
        let state = run.worker().server.shared.get::<State>();
        state.ok_or("the module is not loaded")
    }

    fn bit(flag: i64) -> Result<u32, &'static str> {
        match flag {
            0..=31 => Ok(1 << flag),
            _ => Err("a flag is a number from 0 to 31"),
        }
    }

    /// Waits for `seconds`. Other messages are worked on meanwhile.
    ///
    /// ```cfg
    /// sleep("1");
    /// ```
    #[function(routes = "any")]
    async fn sleep(_run: &mut Run, seconds: Int) -> Verdict {
        tokio::time::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))).await;
        Verdict::TRUE
    }

    /// Waits for `microseconds`, to the millisecond. Other messages are worked on meanwhile.
    ///
    /// ```cfg
    /// usleep("20000");
    /// ```
    #[function(routes = "any")]
    async fn usleep(_run: &mut Run, microseconds: Int) -> Verdict {
        let wait = Duration::from_micros(u64::try_from(microseconds).unwrap_or(0));
        tokio::time::sleep(wait).await;
        Verdict::TRUE
    }

    /// True by chance, with the probability of `rand_set_prob()`.
    ///
    /// ```cfg
    /// if (rand_event()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn rand_event(run: &mut Run) -> Result<bool, &'static str> {
        let probability = state(run)?.probability.load(Relaxed);
        Ok((random() % 100) < u64::try_from(probability).unwrap_or(0))
    }

    /// Sets the probability of `rand_event()`, in percent, for all workers.
    ///
    /// ```cfg
    /// rand_set_prob("25");
    /// ```
    #[function(routes = "any")]
    fn rand_set_prob(run: &mut Run, percent: Int) -> Result<bool, &'static str> {
        if !(0..=100).contains(&percent) {
            return Err("a probability is 0 to 100 percent");
        }
        state(run)?.probability.store(percent, Relaxed);
        Ok(true)
    }

    /// Sets the probability of `rand_event()` back to `initial_probability`.
    ///
    /// ```cfg
    /// rand_reset_prob();
    /// ```
    #[function(routes = "any")]
    fn rand_reset_prob(run: &mut Run) -> Result<bool, &'static str> {
        let initial = run.params::<Params>().initial_probability;
        state(run)?.probability.store(initial, Relaxed);
        Ok(true)
    }

    /// The probability of `rand_event()`, in percent, as the code: 0 ends the script.
    ///
    /// ```cfg
    /// rand_get_prob();
    /// ```
    #[function(routes = "any")]
    fn rand_get_prob(run: &mut Run) -> Result<Verdict, &'static str> {
        Ok(Verdict::Code(state(run)?.probability.load(Relaxed)))
    }

    /// Sets flag `flag` of the server, 0 to 31.
    ///
    /// ```cfg
    /// set_gflag("4");
    /// ```
    #[function(routes = "any")]
    fn set_gflag(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        state(run)?.flags.fetch_or(bit(flag)?, Relaxed);
        Ok(true)
    }

    /// Clears flag `flag` of the server, 0 to 31.
    ///
    /// ```cfg
    /// reset_gflag("4");
    /// ```
    #[function(routes = "any")]
    fn reset_gflag(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        state(run)?.flags.fetch_and(!bit(flag)?, Relaxed);
        Ok(true)
    }

    /// True if flag `flag` of the server, 0 to 31, is set.
    ///
    /// ```cfg
    /// if (is_gflag("4")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_gflag(run: &mut Run, flag: Int) -> Result<bool, &'static str> {
        Ok(state(run)?.flags.load(Relaxed) & bit(flag)? != 0)
    }

    /// The hash of two texts, as Kamailio's core makes it, from 1 to 2 to the power of `bits`, as
    /// the code. `bits` is 1 to 30.
    ///
    /// ```cfg
    /// core_hash("$fu", "", "8");
    /// ```
    #[function(routes = "any")]
    fn core_hash(_run: &mut Run, first: Text, second: Text, bits: Int) -> Verdict {
        Verdict::Code(super::core_hash(first, second, bits))
    }

    /// True if there is a block `route[name]`.
    ///
    /// ```cfg
    /// if (check_route_exists("EXTRA")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn check_route_exists(run: &mut Run, name: Text) -> bool {
        let name = String::from_utf8_lossy(name);
        run.program.route(Routes::REQUEST, &name).is_some()
    }

    /// Runs the block `route[name]` if there is one; its code, or -1.
    ///
    /// ```cfg
    /// route_if_exists("EXTRA");
    /// ```
    #[function(routes = "any")]
    fn route_if_exists(run: &mut Run, name: Text) -> Verdict {
        let name = String::from_utf8_lossy(name);
        let Some(route) = run.program.route(Routes::REQUEST, &name) else {
            return Verdict::FALSE;
        };
        let outcome = run.call(route);
        match outcome.status {
            status::OK => Verdict::Code(outcome.value),
            status::DROP => Verdict::Drop,
            _ => Verdict::Exit,
        }
    }

    /// A random number from 0 to 2147483647, another one at each reading.
    #[pv(name = "RANDOM")]
    fn random_number(_run: &mut Run) -> i64 {
        (random() >> 33) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::core_hash;

    #[test]
    fn the_hash_is_that_of_kamailio_5_6() {
        for (first, second, bits, hash) in [
            ("abc", "x", 8, 186),
            ("abcdefgh", "x", 10, 148),
            ("abcde", "fghij", 20, 751_087),
            ("abc", "def", 0, 2),
            ("abc", "def", 1, 2),
            ("sip:alice@example.com", "", 16, 61_884),
        ] {
            assert_eq!(
                core_hash(first.as_bytes(), second.as_bytes(), bits),
                hash,
                "{first}"
            );
        }
    }
}
