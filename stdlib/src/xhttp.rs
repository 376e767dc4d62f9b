//! Kamailio's `xhttp`: HTTP requests on the ports of SIP over TCP and TLS (RFC 9112).

use kcc_runtime::declare::Routes;
use kcc_runtime::init::{Init, OnHttp};
use kcc_runtime::pattern::{Flags, Pattern};
use kcc_runtime::proxy;
use kcc_runtime::run::Run;

use exports::{Params, REQUEST};

/// Which requests come to the event.
struct Choice {
    wanted: Option<Pattern>,
    skipped: Option<Pattern>,
}

impl Choice {
    fn takes(&self, url: &[u8]) -> bool {
        let wanted = self.wanted.as_ref().is_none_or(|p| p.is_match(url));
        wanted && !self.skipped.as_ref().is_some_and(|p| p.is_match(url))
    }
}

fn set_up(init: &mut Init) -> Result<(), String> {
    if init.program.event(&REQUEST).is_none() {
        return Err("there is no event_route[xhttp:request]".to_owned());
    }
    if !init.program.settings.tcp_accept_no_cl {
        kcc_runtime::warn!(
            "tcp_accept_no_cl is not set: HTTP requests without Content-Length end their connections"
        );
    }
    let params: &Params = init.program.params();
    let pattern = |name: &str, text: &Option<Vec<u8>>| match text {
        None => Ok(None),
        Some(text) => Pattern::new(text, Flags::default())
            .map(Some)
            .map_err(|error| format!("{name}: {error}")),
    };
    init.shared.provide(Choice {
        wanted: pattern("url_match", &params.url_match)?,
        skipped: pattern("url_skip", &params.url_skip)?,
    });
    init.shared.provide(OnHttp(take));
    Ok(())
}

/// Runs the event for the message in hand, where it is a request that is wanted.
fn take(run: &mut Run) -> bool {
    let Some(route) = run.program.event(&REQUEST) else {
        return false;
    };
    let choice = run.worker().server.shared.get::<Choice>();
    let wanted = choice.is_none_or(|choice| choice.takes(run.message.request_uri()));
    if !wanted || !run.message.is_request() || !run.source.protocol.connected() {
        return false;
    }
    run.enter(Routes::EVENT, route);
    if run.failed {
        run.reply_stateless(500, b"");
    }
    proxy::finish(run);
    true
}

/// HTTP on the ports of SIP: each request on a connection of TCP or TLS raises
/// `event_route[xhttp:request]`.
///
/// Requests without Content-Length, as browsers send them, need `tcp_accept_no_cl=yes`; chunked
/// bodies are not understood. The variables of SIP messages tell of the request: `$rm`, `$hdr(…)`,
/// `$rb`, `$si`; `$hu` is its URL.
///
/// ```cfg
/// tcp_accept_no_cl=yes
/// request_route {
///     exit;
/// }
/// event_route[xhttp:request] {
///     xhttp_reply("200", "OK", "text/html", "<html><body>$hu</body></html>");
/// }
/// ```
#[kcc_macros::module(name = "xhttp")]
pub mod exports {
    use kcc_runtime::declare::{Event, Int, Text};
    use kcc_runtime::init::Init;
    use kcc_runtime::proxy::HttpReply;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::Val;

    /// Parameters of `xhttp`.
    #[params]
    pub struct Params {
        /// A regular expression: only requests whose URL matches raise the event.
        #[param]
        pub url_match: Option<Vec<u8>>,
        /// A regular expression: requests whose URL matches do not raise the event.
        #[param]
        pub url_skip: Option<Vec<u8>>,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        super::set_up(init)
    }

    /// An HTTP request came on a connection of TCP or TLS. It is the message in hand; nothing is
    /// answered but by the script.
    ///
    /// ```cfg
    /// request_route {
    ///     exit;
    /// }
    /// event_route[xhttp:request] {
    ///     xhttp_reply("404", "Not Found", "text/plain", "nothing at $hu\n");
    /// }
    /// ```
    #[event("xhttp:request")]
    pub static REQUEST: Event = Event::new();

    /// URL of the HTTP request, as it stands in its first line; of a SIP request the Request-URI.
    ///
    /// ```cfg
    /// if ($hu =~ "^/status") xlog("status\n");
    /// ```
    #[pv(name = "hu")]
    fn hu(run: &mut Run) -> Option<Val> {
        let uri = run.message.request_uri();
        (!uri.is_empty()).then(|| Val::str(uri))
    }

    /// Answers the HTTP request with status `code`, the reason phrase `reason`, and `body` of the
    /// type `content`. Empty texts leave out Content-Type and the body.
    ///
    /// True when it was sent; -1 where the message is no HTTP request, the connection is gone, or
    /// `code` is none (100 to 999).
    ///
    /// ```cfg
    /// request_route {
    ///     exit;
    /// }
    /// event_route[xhttp:request] {
    ///     xhttp_reply("200", "OK", "application/json", '{"ok": true}');
    /// }
    /// ```
    #[function(routes = "request")]
    fn xhttp_reply(run: &mut Run, code: Int, reason: Text, content: Text, body: Text) -> Verdict {
        let Some(code) = u16::try_from(code).ok().filter(|c| (100..=999).contains(c)) else {
            run.report(&format_args!("{} is no status of HTTP", code));
            return Verdict::FALSE;
        };
        let reply = HttpReply {
            content_type: content,
            body,
            ..HttpReply::new(code, reason)
        };
        run.reply_http(&reply).into()
    }
}
