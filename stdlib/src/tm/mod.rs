//! Kamailio's `tm`: transactions (RFC 3261 §16, §17). The machines are in
//! `kcc_runtime::transaction`, the proxy core in `kcc_runtime::proxy`; here is what a script says
//! to them.

mod handlers;
mod matching;
mod relay;
mod reply;
mod select;
mod state;
mod timeouts;

pub use state::status;

use kcc_runtime::proxy::{Defaults, UnmatchedCancel};
use kcc_runtime::transaction::Timeouts;

fn milliseconds(name: &str, value: i64) -> Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("{name}: {value} is no time in milliseconds"))
}

impl exports::Params {
    fn defaults(&self) -> Result<Defaults, String> {
        if self.failure_reply_mode != 3 {
            return Err("failure_reply_mode: only 3, the default, is supported".to_owned());
        }
        let timeouts = Timeouts {
            fr_timer: milliseconds("fr_timer", self.fr_timer)?,
            fr_inv_timer: milliseconds("fr_inv_timer", self.fr_inv_timer)?,
            wt_timer: milliseconds("wt_timer", self.wt_timer)?,
            retr_timer1: milliseconds("retr_timer1", self.retr_timer1)?,
            retr_timer2: milliseconds("retr_timer2", self.retr_timer2)?,
            max_inv_lifetime: milliseconds("max_inv_lifetime", self.max_inv_lifetime)?,
            max_noninv_lifetime: milliseconds("max_noninv_lifetime", self.max_noninv_lifetime)?,
            restart_fr_on_each_reply: self.restart_fr_on_each_reply,
            ..Timeouts::default()
        };
        let final_code = |code: &i64| (300..700).contains(code);
        Ok(Defaults {
            timeouts,
            auto_inv_100: self.auto_inv_100,
            auto_inv_100_reason: self.auto_inv_100_reason.clone(),
            disable_6xx: self.disable_6xx_block,
            relay_100: self.relay_100,
            timeout_code: Some(self.reply_408_code)
                .filter(final_code)
                .and_then(|code| u16::try_from(code).ok())
                .ok_or("reply_408_code: a status from 300 to 699 is expected")?,
            timeout_reason: self.reply_408_reason.clone(),
            remap_503_500: self.remap_503_500,
            delayed_reply: self.delayed_reply,
            unmatched_cancel: match self.unmatched_cancel {
                0 => UnmatchedCancel::Stateful,
                1 => UnmatchedCancel::Stateless,
                2 => UnmatchedCancel::Dropped,
                _ => return Err("unmatched_cancel: 0, 1 or 2 is expected".to_owned()),
            },
        })
    }
}

/// Transactions: relaying a request and taking its answers back, retransmissions, forking, failure
/// handling, CANCEL.
#[kcc_macros::module(
    name = "tm",
    parts(
        kcc_runtime::proxy::events::tm::PART,
        super::handlers::exports::PART,
        super::matching::exports::PART,
        super::relay::exports::PART,
        super::reply::exports::PART,
        super::select::exports::PART,
        super::state::exports::PART,
        super::timeouts::exports::PART
    )
)]
pub mod exports {
    use kcc_runtime::init::Init;

    /// Parameters of `tm`.
    #[params]
    pub struct Params {
        /// How long to wait for a final answer, for an INVITE for any answer, in milliseconds
        /// (timers B, F and H).
        #[param(default = 30_000)]
        pub fr_timer: i64,
        /// How long to wait for a final answer to an INVITE after a provisional one, in
        /// milliseconds (timer C).
        #[param(default = 120_000)]
        pub fr_inv_timer: i64,
        /// How long an ended transaction absorbs late messages, in milliseconds.
        #[param(default = 5_000)]
        pub wt_timer: i64,
        /// The first interval of retransmissions, in milliseconds (T1).
        #[param(default = 500)]
        pub retr_timer1: i64,
        /// The longest interval of retransmissions, in milliseconds (T2).
        #[param(default = 4_000)]
        pub retr_timer2: i64,
        /// The longest life of an INVITE transaction without a final answer, in milliseconds.
        #[param(default = 180_000)]
        pub max_inv_lifetime: i64,
        /// The longest life of another transaction without a final answer, in milliseconds.
        #[param(default = 32_000)]
        pub max_noninv_lifetime: i64,
        /// Each provisional answer starts `fr_inv_timer` anew.
        #[param(default = true)]
        pub restart_fr_on_each_reply: bool,
        /// Answer each INVITE that is relayed with 100.
        #[param(default = true)]
        pub auto_inv_100: bool,
        /// The reason phrase of that 100.
        #[param(default = "trying -- your call is important to us")]
        pub auto_inv_100_reason: Vec<u8>,
        /// A 6xx does not end the other branches.
        #[param(default = false)]
        pub disable_6xx_block: bool,
        /// A received 100 is forwarded.
        #[param(default = false)]
        pub relay_100: bool,
        /// A received 503 goes on as 500 (RFC 3261 §16.7 step 6).
        #[param(default = true)]
        pub remap_503_500: bool,
        /// The status of the answer where none came in time, 300 to 699.
        #[param(default = 408)]
        pub reply_408_code: i64,
        /// Its reason phrase.
        #[param(default = "Request Timeout")]
        pub reply_408_reason: Vec<u8>,
        /// A request that could not be relayed is answered at the end of its script, where the
        /// script did not answer, and not at once.
        #[param(default = true)]
        pub delayed_reply: bool,
        /// A CANCEL without its INVITE is relayed in a transaction (0), without one (1), or
        /// dropped (2).
        #[param(default = 0)]
        pub unmatched_cancel: i64,
        /// Which answers a failure route counts: only 3, those of the branches that it is about.
        #[param(default = 3)]
        pub failure_reply_mode: i64,
        /// The status of a `t_reply()` whose own is none.
        #[param(default = 500)]
        pub default_code: i64,
        /// The reason phrase of a `t_reply()` whose own is empty and whose status has none.
        #[param(default = "Server Internal Error")]
        pub default_reason: Vec<u8>,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        let defaults = init.program.params::<Params>().defaults()?;
        init.shared.provide(defaults);
        Ok(())
    }
}
