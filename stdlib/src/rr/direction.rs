//! Which side of a dialog a request comes from: told by the `ftag` that this server put into its
//! Record-Route when the dialog began.

use kcc_runtime::run::{Local, Run};
use kcc_sip::{Params, Uri};

use super::exports;
use super::loose::{View, is_own};
use super::routes::routes;

/// The way of a request in its dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the caller to the callee.
    Downstream,
    /// From the callee to the caller.
    Upstream,
}

impl Direction {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Downstream => "downstream",
            Direction::Upstream => "upstream",
        }
    }

    /// Its number in `$rdir(id)`.
    pub const fn number(self) -> i64 {
        match self {
            Direction::Downstream => 1,
            Direction::Upstream => 2,
        }
    }
}

/// What is remembered of the request in hand before its Request-URI is rewritten.
#[derive(Default)]
pub struct Routed {
    known: bool,
    /// The parameters of this server's route, from the first `;`.
    params: Vec<u8>,
    /// `loose_route()` took a route of this server off and found another behind it.
    pub next_hop: bool,
}

impl Local for Routed {
    fn reset(&mut self) {
        self.known = false;
        self.next_hop = false;
    }
}

/// Finds the parameters of this server's route in the request, unless that was done before.
pub fn note(run: &mut Run) {
    if run.locals.get::<Routed>().known {
        return;
    }
    let mut buffer = std::mem::take(&mut run.locals.get::<Routed>().params);
    buffer.clear();
    buffer.extend_from_slice(own_params(run).unwrap_or_default());
    let routed = run.locals.get::<Routed>();
    routed.params = buffer;
    routed.known = true;
}

fn own_params(run: &Run) -> Option<&[u8]> {
    let view = View {
        uri: run.uri(),
        own: &|uri| is_own(run, uri),
        double: run.params::<exports::Params>().enable_double_rr,
        strict: true,
    };
    if view.after_strict(&run.message) {
        return Some(Uri::parse(run.uri()).ok()?.params.raw());
    }
    let top = routes(&run.message).next()?.ok()?;
    let uri = Uri::parse(top.uri).ok()?;
    is_own(run, &uri).then(|| uri.params.raw())
}

/// The parameters of this server's route, from the first `;`.
pub fn params(run: &mut Run) -> &[u8] {
    note(run);
    &run.locals.get::<Routed>().params
}

/// The direction of the request in hand; downstream where nothing says otherwise.
pub fn direction(run: &mut Run) -> Direction {
    note(run);
    let Run {
        locals, message, ..
    } = run;
    let params = Params::new(&locals.get::<Routed>().params);
    match params.get(b"ftag").filter(|tag| !tag.is_empty()) {
        Some(tag) if Some(tag) != message.from_tag() => Direction::Upstream,
        _ => Direction::Downstream,
    }
}
