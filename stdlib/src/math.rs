//! Kamailio's `math`: powers, roots and logarithms.

/// What a calculation has no integer for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the result is no number that a variable can hold")]
pub struct NoNumber;

/// The integer before the fraction of `x`.
fn whole(x: f64) -> Result<i64, NoNumber> {
    // The float after the largest integer; the least is a float itself.
    const END: f64 = 9_223_372_036_854_775_808.0;
    match x.is_finite() && (-END..END).contains(&x) {
        true => Ok(x as i64),
        false => Err(NoNumber),
    }
}

/// Powers, roots and logarithms of integers, in floating point; what stands after the point is cut off.
///
/// A function is false, and leaves the variable as it is, where the result is no integer of 64 bits, such
/// as the logarithm of 0. (Kamailio stores the least integer there.)
#[kcc_macros::module(name = "math")]
pub mod exports {
    use kcc_runtime::declare::{Int, Place};
    use kcc_runtime::run::Run;
    use kcc_runtime::value::Value;

    use super::{NoNumber, whole};

    fn store(run: &mut Run, x: f64, result: Place) -> Result<bool, NoNumber> {
        let n = whole(x)?;
        Ok(run.write(result, Value::Int(n)))
    }

    /// Stores `base` to the power of `exponent` in the variable `result`.
    ///
    /// ```cfg
    /// math_pow("2", "10", "$var(res)");
    /// ```
    #[function(routes = "any")]
    fn math_pow(run: &mut Run, base: Int, exponent: Int, result: Place) -> Result<bool, NoNumber> {
        store(run, (base as f64).powf(exponent as f64), result)
    }

    /// Stores the natural logarithm of `x` in the variable `result`.
    ///
    /// ```cfg
    /// $var(x) = 10;
    /// math_logN("$var(x)", "$var(res)");
    /// ```
    #[function(routes = "any", name = "math_logN")]
    fn math_log_n(run: &mut Run, x: Int, result: Place) -> Result<bool, NoNumber> {
        store(run, (x as f64).ln(), result)
    }

    /// Stores the logarithm of `x` to the base of 2 in the variable `result`.
    ///
    /// ```cfg
    /// math_log2("16", "$var(res)");
    /// ```
    #[function(routes = "any")]
    fn math_log2(run: &mut Run, x: Int, result: Place) -> Result<bool, NoNumber> {
        store(run, (x as f64).log2(), result)
    }

    /// Stores the logarithm of `x` to the base of 10 in the variable `result`.
    ///
    /// ```cfg
    /// math_log10("100", "$var(res)");
    /// ```
    #[function(routes = "any")]
    fn math_log10(run: &mut Run, x: Int, result: Place) -> Result<bool, NoNumber> {
        store(run, (x as f64).log10(), result)
    }

    /// Stores the square root of `x` in the variable `result`.
    ///
    /// ```cfg
    /// math_sqrt("16", "$var(res)");
    /// ```
    #[function(routes = "any")]
    fn math_sqrt(run: &mut Run, x: Int, result: Place) -> Result<bool, NoNumber> {
        store(run, (x as f64).sqrt(), result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_is_cut_off_and_what_is_no_number_refused() {
        for (x, n) in [
            (1.99, Some(1)),
            (-1.99, Some(-1)),
            (1000f64.log10(), Some(3)),
            (9.2e18, Some(9_200_000_000_000_000_000)),
            (-9_223_372_036_854_775_808.0, Some(i64::MIN)),
            (9_223_372_036_854_775_808.0, None),
            (0f64.ln(), None),
            ((-1f64).sqrt(), None),
            (10f64.powf(400.0), None),
        ] {
            assert_eq!(whole(x).ok(), n, "{x}");
        }
    }
}
