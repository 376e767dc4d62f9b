//! Kamailio's `sl`: answers without a transaction (RFC 3261 §8.2.7).

/// Stateless answers to requests. An ACK to such an answer ends here and is not seen by
/// `request_route`.
#[kcc_macros::module(name = "sl", parts(kcc_runtime::proxy::events::sl::PART))]
pub mod exports {
    use kcc_runtime::declare::{Int, Text};
    use kcc_runtime::run::Run;

    /// Parameters of `sl`.
    #[params]
    pub struct Params {
        /// `send_reply()` answers in the request's transaction where there is one.
        #[param(default = true)]
        pub bind_tm: bool,
        /// The status of an answer whose own is none (100 to 999).
        #[param(default = 500)]
        pub default_code: i64,
        /// The reason phrase of an answer whose own is empty and whose status has none.
        #[param(default = "Internal Server Error")]
        pub default_reason: Vec<u8>,
    }

    /// What an error is answered with where nothing is known about it.
    const ERROR: &[u8] = b"I'm terribly sorry, server error occurred (1/SL)";

    fn status(run: &Run, code: i64) -> u16 {
        let valid = |code: i64| {
            u16::try_from(code)
                .ok()
                .filter(|code| (100..=999).contains(code))
        };
        valid(code)
            .or_else(|| valid(run.params::<Params>().default_code))
            .unwrap_or(500)
    }

    fn stateless(run: &mut Run, code: i64, reason: &[u8]) -> bool {
        let code = status(run, code);
        if reason.is_empty() && kcc_sip::reason_phrase(code).is_empty() {
            let program = run.program.clone();
            return run.reply_stateless(code, &program.params::<Params>().default_reason);
        }
        run.reply_stateless(code, reason)
    }

    fn either(run: &mut Run, code: i64, reason: &[u8]) -> bool {
        if run.transaction.is_some() && run.params::<Params>().bind_tm {
            let code = status(run, code);
            return run.reply_in_transaction(code, reason);
        }
        stateless(run, code, reason)
    }

    /// Answers the request with `code` and `reason`, without a transaction. False for an ACK,
    /// which has no answer, and where sending fails.
    ///
    /// ```cfg
    /// sl_send_reply("404", "Not Found");
    /// ```
    #[function(routes = "request", aliases("sl_reply"))]
    fn sl_send_reply(run: &mut Run, code: Int, reason: Text) -> bool {
        stateless(run, code, reason)
    }

    /// Answers the request with the error that came up last, without a transaction:
    /// `500 I'm terribly sorry, server error occurred (1/SL)`. Nothing is sent for an ACK.
    ///
    /// ```cfg
    /// sl_reply_error();
    /// ```
    #[function(routes = "request")]
    fn sl_reply_error(run: &mut Run) -> bool {
        run.message.method() == kcc_sip::Method::Ack || run.reply_stateless(500, ERROR)
    }

    /// Answers the request with `code` and `reason`: in its transaction where there is one, else
    /// without. False for an ACK, where a final answer was sent before, and where sending fails.
    ///
    /// ```cfg
    /// send_reply("403", "Forbidden");
    /// ```
    #[function(routes = "request|failure|onreply")]
    fn send_reply(run: &mut Run, code: Int, reason: Text) -> bool {
        either(run, code, reason)
    }

    /// As `send_reply`; bit 0 of `mode` tells that what is appended to replies is for this one
    /// only.
    ///
    /// ```cfg
    /// send_reply_mode("180", "Ringing", "1");
    /// ```
    #[function(routes = "request|failure|onreply")]
    fn send_reply_mode(run: &mut Run, code: Int, reason: Text, mode: Int) -> bool {
        let sent = either(run, code, reason);
        if mode & 1 != 0 {
            run.edits.clear_reply();
        }
        sent
    }

    /// Answers the request with the error that came up last: in its transaction where there is
    /// one, else without.
    ///
    /// ```cfg
    /// send_reply_error();
    /// ```
    #[function(routes = "request|failure|onreply")]
    fn send_reply_error(run: &mut Run) -> bool {
        either(run, 500, ERROR)
    }
}
