//! What kind of message this is.

use kcc_macros::part;

/// `is_request` and its like.
#[part(module = "siputils")]
pub mod exports {
    use kcc_runtime::declare::Text;
    use kcc_runtime::run::Run;
    use kcc_sip::HeaderKind;

    /// True if the message is a request.
    ///
    /// ```cfg
    /// if (is_request()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_request(run: &mut Run) -> bool {
        run.message.is_request()
    }

    /// True if the message is a reply.
    ///
    /// ```cfg
    /// if (is_reply()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_reply(run: &mut Run) -> bool {
        !run.message.is_request()
    }

    /// True if the message is SIP.
    ///
    /// ```cfg
    /// if (!is_sip()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_sip(run: &mut Run) -> bool {
        run.message.is_sip()
    }

    /// True if the message is HTTP.
    ///
    /// ```cfg
    /// if (is_http()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_http(run: &mut Run) -> bool {
        let line = run.message.request_line();
        line.is_some_and(|line| line.version.starts_with(b"HTTP/"))
    }

    /// True if the To header has a tag: the request is part of a dialog.
    ///
    /// ```cfg
    /// if (has_totag()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn has_totag(run: &mut Run) -> bool {
        run.message.to_tag().is_some_and(|tag| !tag.is_empty())
    }

    /// True if the message came straight from its user agent and over no other proxy: a request
    /// with one Via and without Record-Route, a reply with at most two Vias.
    ///
    /// ```cfg
    /// if (is_first_hop()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_first_hop(run: &mut Run) -> bool {
        let most = if run.message.is_request() { 1 } else { 2 };
        run.message.vias().take(most + 1).count() <= most
            && (most > 1 || run.message.record_routes().next().is_none())
    }

    /// True if the header Supported names `option`.
    ///
    /// ```cfg
    /// if (is_supported("path")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_supported(run: &mut Run, option: Text) -> bool {
        run.message.headers_of(HeaderKind::Supported).any(|header| {
            kcc_sip::token::list(header.value)
                .any(|name| kcc_sip::token::trim(name).eq_ignore_ascii_case(option))
        })
    }
}
