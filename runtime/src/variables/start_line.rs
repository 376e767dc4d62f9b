//! The first line of the message (RFC 3261 §7.1, §7.2): method, version, status.

/// Variables of the first line.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::run::Run;

    /// The method; in replies that of CSeq.
    ///
    /// In arithmetic its bit: INVITE 1, CANCEL 2, ACK 4, BYE 8, INFO 16, REGISTER 32, SUBSCRIBE 64,
    /// NOTIFY 128, MESSAGE 256, OPTIONS 512, PRACK 1024, UPDATE 2048, REFER 4096, PUBLISH 8192,
    /// KDMQ 16384, GET 32768, POST 65536, PUT 131072, DELETE 262144, another 524288.
    ///
    /// ```cfg
    /// if ($rm == "INVITE") exit;
    /// ```
    #[pv(name = "rm")]
    fn rm(run: &mut Run) -> &[u8] {
        run.message.method_name()
    }

    #[pv_int("rm")]
    fn rm_bit(run: &mut Run) -> i64 {
        i64::from(run.head.method)
    }

    /// The method's bit: `$rm` as an integer.
    #[pv(name = "rmid")]
    fn rmid(run: &mut Run) -> i64 {
        i64::from(run.head.method)
    }

    /// The version: `SIP/2.0`.
    #[pv(name = "rv")]
    fn rv(run: &mut Run) -> Option<&[u8]> {
        let message = &run.message;
        message
            .request_line()
            .map(|line| line.version)
            .or_else(|| message.status_line().map(|line| line.version))
    }

    /// The status code of a reply, 100 to 699; null in requests.
    ///
    /// ```cfg
    /// onreply_route[ANSWER] {
    ///     if ($rs == 200) exit;
    /// }
    /// ```
    #[pv(name = "rs")]
    fn rs(run: &mut Run) -> Option<i64> {
        let status = run.message.status();
        (status != 0).then_some(i64::from(status))
    }

    /// The status code of a reply; 0 in requests.
    #[pv(name = "rsi")]
    fn rsi(run: &mut Run) -> i64 {
        i64::from(run.message.status())
    }

    /// The reason phrase of a reply; null in requests.
    #[pv(name = "rr")]
    fn rr(run: &mut Run) -> Option<&[u8]> {
        run.message.status_line().map(|line| line.reason)
    }

    /// 1 for a request, 2 for a reply.
    #[pv(name = "mt")]
    fn mt(run: &mut Run) -> i64 {
        if run.message.is_request() { 1 } else { 2 }
    }

    /// `rq` for a request, `rp` for a reply.
    #[pv(name = "mts")]
    fn mts(run: &mut Run) -> &'static str {
        if run.message.is_request() { "rq" } else { "rp" }
    }
}
