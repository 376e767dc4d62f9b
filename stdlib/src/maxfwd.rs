//! Kamailio's `maxfwd`: Max-Forwards (RFC 3261 §16.3 step 3, §16.6 step 3).

use kcc_runtime::run::Local;

/// What the header field says after it was lowered by this script.
#[derive(Default)]
struct Lowered(Option<u32>);

impl Local for Lowered {}

/// Counting Max-Forwards down.
#[kcc_macros::module(name = "maxfwd")]
pub mod exports {
    use super::Lowered;
    use kcc_runtime::declare::Int;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_sip::HeaderKind;

    /// Parameters of `maxfwd`.
    #[params]
    pub struct Params {
        /// The greatest value that goes on, 1 to 255: a greater one is lowered to it.
        #[param(default = 70)]
        pub max_limit: i64,
    }

    /// Lowers Max-Forwards by 1, or to `max_limit` where it is greater. Where the request has none
    /// it gets one of `default`.
    ///
    /// 1 lowered; 2 added; -1 it is 0, the request must not go on; -2 it is no number.
    ///
    /// ```cfg
    /// if (!mf_process_maxfwd_header("10")) {
    ///     sl_send_reply("483", "Too Many Hops");
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request", aliases("process_maxfwd", "maxfwd_process"))]
    fn mf_process_maxfwd_header(run: &mut Run, default: Int) -> Result<Verdict, String> {
        let limit = u32::try_from(run.params::<Params>().max_limit).unwrap_or(70);
        let default = u32::try_from(default).map_err(|_| "the default is below 0")?;
        let (message, edits) = run.edit();
        let Some(header) = message.header(HeaderKind::MaxForwards) else {
            let line = format!("Max-Forwards: {}\r\n", default.min(limit));
            edits
                .prepend_header(message, line.as_bytes())
                .map_err(|error| error.to_string())?;
            return Ok(Verdict::Code(2));
        };
        let Some(value) = message.max_forwards() else {
            run.report(&"Max-Forwards is no number");
            return Ok(Verdict::Code(-2));
        };
        if value == 0 {
            return Ok(Verdict::FALSE);
        }
        let lower = (value - 1).min(limit);
        let width = header.value.len();
        let range = message.offset_of(header.value).ok_or("no Max-Forwards")?;
        edits
            .replace_with(range, |out| {
                use std::io::Write;
                // A Vec takes all.
                let _ = write!(out, "{lower:width$}");
            })
            .map_err(|error| error.to_string())?;
        run.locals.get::<Lowered>().0 = Some(lower);
        Ok(Verdict::TRUE)
    }

    /// True if Max-Forwards is less than `limit`. -2 where there is none, -3 where it is no number.
    ///
    /// ```cfg
    /// if (is_maxfwd_lt("10")) {
    ///     sl_send_reply("483", "Too Many Hops");
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request|failure|branch", aliases("mf_lowlimit"))]
    fn is_maxfwd_lt(run: &mut Run, limit: Int) -> Verdict {
        let lowered = run.locals.get::<Lowered>().0;
        if !run.message.has(HeaderKind::MaxForwards) {
            return Verdict::Code(-2);
        }
        match lowered.or_else(|| run.message.max_forwards()) {
            None => Verdict::Code(-3),
            Some(value) => (i64::from(value) < limit).into(),
        }
    }

    /// True if Max-Forwards is at least `limit`. -2 where there is none, -3 where it is no number.
    ///
    /// ```cfg
    /// if (!maxfwd_at_least("10")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request|failure|branch")]
    fn maxfwd_at_least(run: &mut Run, limit: Int) -> Verdict {
        let lowered = run.locals.get::<Lowered>().0;
        if !run.message.has(HeaderKind::MaxForwards) {
            return Verdict::Code(-2);
        }
        match lowered.or_else(|| run.message.max_forwards()) {
            None => Verdict::Code(-3),
            Some(value) => (i64::from(value) >= limit).into(),
        }
    }
}
