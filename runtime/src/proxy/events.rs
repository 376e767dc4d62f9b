//! Events of answers made here, and of what ends here.

/// Events of `sl`.
#[kcc_macros::part(module = "sl")]
pub mod sl {
    use crate::declare::Event;

    /// An ACK to a stateless answer came, which ends here. It is the message in hand; the result
    /// means nothing.
    ///
    /// ```cfg
    /// event_route[sl:filtered-ack] {
    ///     xlog("L_DBG", "ACK of $ci\n");
    /// }
    /// ```
    #[event("sl:filtered-ack")]
    pub static FILTERED_ACK: Event = Event::new();

    /// A stateless answer was sent. It is the message in hand, with flags of its own and the
    /// `$avp` of the request; `$snd(…)` tells where it went. The result means nothing.
    ///
    /// ```cfg
    /// event_route[sl:local-response] {
    ///     xlog("L_INFO", "answered $rs to $sndto(ip)\n");
    /// }
    /// ```
    #[event("sl:local-response")]
    pub static LOCAL_RESPONSE: Event = Event::new();
}

/// Events of `tm`.
#[kcc_macros::part(module = "tm")]
pub mod tm {
    use crate::declare::Event;

    /// An answer that a script or `t_relay()` made in a transaction was sent: those of `t_reply()`,
    /// 100 to an INVITE, what a request that cannot be relayed is answered with. It is the message
    /// in hand, with flags of its own and the `$avp` of the request; `$snd(…)` tells where it
    /// went. The result means nothing.
    ///
    /// ```cfg
    /// event_route[tm:local-response] {
    ///     xlog("L_INFO", "answered $rs to $sndto(ip)\n");
    /// }
    /// ```
    #[event("tm:local-response")]
    pub static LOCAL_RESPONSE: Event = Event::new();

    /// A branch failed for which `t_on_branch_failure("NAME")` armed
    /// `event_route[tm:branch-failure:NAME]`. The request is in hand, and can be sent on.
    ///
    /// ```cfg
    /// request_route {
    ///     t_on_branch_failure("busy");
    ///     t_relay();
    /// }
    /// event_route[tm:branch-failure:busy] {
    ///     xlog("L_INFO", "$T_reply_code of one branch\n");
    /// }
    /// ```
    #[event("tm:branch-failure:*")]
    pub static BRANCH_FAILURE: Event = Event::new();
}
