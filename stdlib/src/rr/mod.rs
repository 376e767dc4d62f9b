//! Record-Route and loose routing (Kamailio `rr`; RFC 3261 §16.4, §16.6, §16.12, RFC 5658).

mod direction;
mod loose;
mod routes;
#[cfg(test)]
mod tests;
mod variables;

use kcc_macros::module;

/// Stays in the path of a dialog, and routes its requests.
///
/// `record_route()` puts this server into the route set of the dialog that a request begins;
/// `loose_route()` follows the Route header fields of the requests in it.
#[module(name = "rr", parts(super::variables::exports::PART))]
pub mod exports {
    use kcc_runtime::declare::{Const, ConstantError, Int, Parse, Text};
    use kcc_runtime::pattern::{Flags, Pattern};
    use kcc_runtime::proxy::record_route::{Host, Wanted};
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_sip::Uri;
    use kcc_sip::uri::Scheme;

    use super::direction::{self, Direction, Routed};
    use super::loose::{NoWay, View, follow, is_own, socket_of};
    use crate::avp_param::AvpParam;

    /// Parameters of `rr`.
    #[params]
    pub struct Params {
        /// Puts the user of the Request-URI into the Record-Route.
        #[param(default = false)]
        pub add_username: bool,
        /// Puts the From tag into the Record-Route as `ftag`: what `is_direction()` needs.
        #[param(default = true)]
        pub append_fromtag: bool,
        /// The AVP whose text is the user in the Record-Route.
        #[param]
        pub custom_user_avp: AvpParam,
        /// Adds two Record-Route header fields where a request leaves from another socket than it
        /// came to, and takes two routes off when it comes back.
        #[param(default = true)]
        pub enable_double_rr: bool,
        /// Writes `lr=on` in place of `lr`, for peers that want a value.
        #[param(default = false)]
        pub enable_full_lr: bool,
        /// Warns when the second of two routes of this server names no socket of it.
        #[param(default = true)]
        pub enable_socket_mismatch_warning: bool,
        /// Sends from the socket that a single route of this server names, too.
        #[param(default = false)]
        pub force_send_socket: bool,
        /// Writes `sip:` even where the Request-URI is `sips:`.
        #[param(default = false)]
        pub ignore_sips: bool,
        /// The mode of `loose_route()`: 1 does not take the previous hop for a strict router.
        #[param(default = 0)]
        pub loose_route_mode: i64,
    }

    fn ask(run: &mut Run, host: Host<'_>, params: &[u8]) -> Result<bool, &'static str> {
        let texts = match host {
            Host::Sockets => [params, b""],
            Host::Preset(first, second) => [first, second.unwrap_or_default()],
            Host::Advertised(host) => [host, b""],
        };
        if texts.iter().any(|text| breaks_header(text)) {
            return Err("Record-Route cannot hold line ends or angle brackets");
        }
        let Run {
            message,
            target,
            avps,
            program,
            record_route,
            ..
        } = run;
        let settings: &Params = program.params();
        if matches!(host, Host::Preset(_, Some(_))) && !settings.enable_double_rr {
            return Err("two Record-Route header fields need enable_double_rr");
        }
        let uri = Uri::parse(target.uri.get().unwrap_or(message.request_uri())).ok();
        let user = settings
            .custom_user_avp
            .text(avps)
            .or_else(|| uri.filter(|_| settings.add_username)?.user)
            .unwrap_or_default();
        if breaks_header(user) || user.contains(&b'@') {
            return Err("the user of the Record-Route is malformed");
        }
        let tag = message.from_tag().filter(|_| settings.append_fromtag);
        let wanted = Wanted {
            host,
            sips: !settings.ignore_sips && uri.is_some_and(|uri| uri.scheme == Scheme::Sips),
            user,
            from_tag: tag.unwrap_or_default(),
            params,
            full_lr: settings.enable_full_lr,
            double: settings.enable_double_rr,
        };
        if record_route.ask(&wanted) {
            Ok(true)
        } else {
            Err("Record-Route was added before")
        }
    }

    fn breaks_header(text: &[u8]) -> bool {
        text.iter()
            .any(|c| matches!(c, b'\r' | b'\n' | b'<' | b'>'))
    }

    /// Adds a Record-Route header field, so that later requests of the dialog come here, too.
    ///
    /// It names the socket that the request came to; where it leaves from another, a second one on
    /// top names that (`enable_double_rr`). The header is written when the request is sent. False
    /// where one was asked for before.
    ///
    /// ```cfg
    /// if (is_method("INVITE|SUBSCRIBE")) record_route();
    /// ```
    #[function(routes = "request|failure|branch")]
    fn record_route(run: &mut Run) -> Result<bool, &'static str> {
        ask(run, Host::Sockets, b"")
    }

    /// As `record_route()`, with `params` (each begins with `;`) at the end of the URI.
    ///
    /// ```cfg
    /// record_route(";nat=yes");
    /// ```
    #[function(routes = "request|failure|branch", name = "record_route")]
    fn record_route_with(run: &mut Run, params: Text) -> Result<bool, &'static str> {
        ask(run, Host::Sockets, params)
    }

    /// Adds a Record-Route header field with the given `host[:port][;parameters]`, and a second one
    /// with `second`.
    ///
    /// False where one was asked for before.
    ///
    /// ```cfg
    /// record_route_preset("192.0.2.1:5060");
    /// ```
    #[function(routes = "request|failure|branch")]
    fn record_route_preset(
        run: &mut Run,
        first: Text,
        second: Option<Text>,
    ) -> Result<bool, &'static str> {
        ask(run, Host::Preset(first, second), b"")
    }

    /// As `record_route()`, with `host[:port]` in place of the sockets' own.
    ///
    /// The transport is named where the request leaves over another than it came by.
    ///
    /// ```cfg
    /// record_route_advertised_address("edge.example.com:5060");
    /// ```
    #[function(routes = "request|failure|branch")]
    fn record_route_advertised_address(run: &mut Run, host: Text) -> Result<bool, &'static str> {
        ask(run, Host::Advertised(host), b"")
    }

    /// Adds `params` (each begins with `;`) to the URI of the Record-Route header fields, whether
    /// they are asked for before or after.
    ///
    /// ```cfg
    /// add_rr_param(";nat=yes");
    /// ```
    #[function(routes = "request|failure|branch")]
    fn add_rr_param(run: &mut Run, params: Text) -> Result<bool, &'static str> {
        if breaks_header(params) {
            return Err("Record-Route cannot hold line ends or angle brackets");
        }
        if run.record_route.add_params(params) {
            Ok(true)
        } else {
            Err("too many parameters of Record-Route")
        }
    }

    /// Takes back the Record-Route that `record_route()` and its like asked for.
    ///
    /// Header fields of other servers stay. Always true.
    ///
    /// ```cfg
    /// remove_record_route();
    /// ```
    #[function(routes = "request|failure")]
    fn remove_record_route(run: &mut Run) -> bool {
        run.record_route.withdraw();
        true
    }

    /// Follows the Route header fields: takes this server's off and sends the request to the next.
    ///
    /// Sets `$du` to the next route; where that one is a strict router (no `lr`), `$ru`. A request
    /// that came from a strict router gets its target back from the last route.
    ///
    /// True (1): routed. False (-1): no Route, or a malformed one. False (-3): the only routes were
    /// this server's and the request is outside of a dialog.
    ///
    /// ```cfg
    /// if (has_totag() && loose_route()) { t_relay(); exit; }
    /// ```
    #[function(routes = "request")]
    fn loose_route(run: &mut Run) -> Verdict {
        let mode = run.params::<Params>().loose_route_mode;
        route(run, mode)
    }

    /// As `loose_route()`; `mode` 1 does not take the previous hop for a strict router.
    ///
    /// ```cfg
    /// loose_route_mode("1");
    /// ```
    #[function(routes = "request")]
    fn loose_route_mode(run: &mut Run, mode: Int) -> Verdict {
        route(run, mode)
    }

    /// As `loose_route()`, but true only where the request is outside of a dialog and had no routes
    /// but this server's: a phone with this server as its outbound proxy.
    ///
    /// ```cfg
    /// if (!has_totag() && loose_route_preloaded()) xlog("preloaded route\n");
    /// ```
    #[function(routes = "request")]
    fn loose_route_preloaded(run: &mut Run) -> bool {
        loose_route(run) == PRELOADED
    }

    const PRELOADED: Verdict = Verdict::Code(-3);

    fn route(run: &mut Run, mode: i64) -> Verdict {
        // Before the Request-URI changes.
        direction::note(run);
        let settings = run.params::<Params>();
        let (force, warn) = (
            settings.force_send_socket,
            settings.enable_socket_mismatch_warning,
        );
        let view = View {
            uri: run.uri(),
            own: &|uri| is_own(run, uri),
            double: settings.enable_double_rr,
            strict: mode != 1,
        };
        let way = match view.way(&run.message) {
            Ok(way) => way,
            Err(NoWay::NoRoute) => return Verdict::FALSE,
            Err(error) => {
                run.report(&error);
                return Verdict::FALSE;
            }
        };
        if let Some(text) = way.socket.filter(|_| way.pair || force) {
            let uri = Uri::parse(text).ok();
            let worker = run.worker();
            match uri.and_then(|uri| socket_of(worker.network.sockets(), &uri)) {
                Some(socket) => run.target.socket = Some(socket),
                None if warn && way.pair => run.warn(&format_args!(
                    "no listen socket is {}, the second of two routes",
                    text.escape_ascii()
                )),
                None => {}
            }
        }
        if let Err(error) = follow(&way, &run.message, &mut run.edits, &mut run.target) {
            run.report(&error);
            return Verdict::FALSE;
        }
        let outside = run.message.to_tag().is_none();
        let code = if way.alone && outside {
            PRELOADED
        } else {
            Verdict::TRUE
        };
        let next_hop = way.own && way.next.is_some();
        run.locals.get::<Routed>().next_hop = next_hop;
        code
    }

    /// Whether `loose_route()` took this server's route off and found another behind it.
    ///
    /// ```cfg
    /// if (loose_route() && rr_next_hop_route()) xlog("another proxy follows\n");
    /// ```
    #[function(routes = "any")]
    fn rr_next_hop_route(run: &mut Run) -> bool {
        run.locals
            .peek::<Routed>()
            .is_some_and(|routed| routed.next_hop)
    }

    /// Whether the parameters of this server's route match `pattern`, an extended regular
    /// expression, in any case.
    ///
    /// False where the request has no route of this server.
    ///
    /// ```cfg
    /// if (check_route_param("nat=yes")) setflag(6);
    /// ```
    #[function(routes = "request")]
    fn check_route_param(run: &mut Run, pattern: Const<RouteParam>) -> bool {
        let params = direction::params(run);
        !params.is_empty() && pattern.0.is_match(params)
    }

    /// Whether the request goes in `direction` in its dialog: `downstream` from the caller to the
    /// callee, or `upstream`.
    ///
    /// Told by the `ftag` that `record_route()` adds (`append_fromtag`); downstream where there is
    /// none.
    ///
    /// ```cfg
    /// if (is_direction("upstream")) xlog("from the callee\n");
    /// ```
    #[function(routes = "request")]
    fn is_direction(run: &mut Run, direction: Const<Direction>) -> bool {
        direction::direction(run) == *direction
    }

    /// A pattern of `check_route_param()`.
    pub struct RouteParam(Pattern);

    impl Parse for RouteParam {
        const NAME: &'static str = "rr-param-regex";
        const WHAT: &'static str = "a regular expression";

        fn parse(text: &[u8]) -> Result<Self, ConstantError> {
            let pattern = Pattern::line_by_line(text, Flags { icase: true });
            pattern.map(RouteParam).map_err(|error| ConstantError {
                offset: error.offset,
                message: error.message,
            })
        }
    }

    impl Parse for Direction {
        const NAME: &'static str = "rr-direction";
        const WHAT: &'static str = "a direction";

        fn parse(text: &[u8]) -> Result<Self, ConstantError> {
            [Direction::Downstream, Direction::Upstream]
                .into_iter()
                .find(|direction| direction.name().as_bytes().eq_ignore_ascii_case(text))
                .ok_or_else(|| ConstantError::new("it is downstream or upstream"))
        }
    }
}
