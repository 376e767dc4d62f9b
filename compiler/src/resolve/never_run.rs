//! Blocks that nothing runs: events that nobody raises, names and kinds that nobody arms.

use kcc_runtime::declare::Routes;
use kcc_runtime::program::{RouteInfo, Setting};

use super::Resolver;
use super::names::suggest;
use crate::catalogue;
use crate::diagnostic::{Diagnostic, nearest};
use crate::source::Span;

/// The event that comes only where a global parameter asks for it.
const MSG_RECEIVED: &str = "core:msg-received";

impl Resolver<'_> {
    /// Warns of a block that never runs.
    pub(super) fn check_that_it_runs(&mut self, block: &RouteInfo, span: Span) {
        if block.main {
            return;
        }
        match Routes(block.kind) {
            Routes::BRANCH if block.name.is_empty() => {
                self.unnamed("branch_route", "t_on_branch", span);
            }
            Routes::FAILURE if block.name.is_empty() => {
                self.unnamed("failure_route", "t_on_failure", span);
            }
            Routes::ONSEND => {
                let message = format!("`onsend_route[{}]` is never run", block.name);
                let diagnostic = Diagnostic::warning("never-run", message).label(span, "");
                self.report(diagnostic.help("there is one such block, without a name"));
            }
            Routes::EVENT | Routes::LOCAL | Routes::BRANCH_FAILURE => {
                self.check_event(&block.name, span);
            }
            _ => {}
        }
    }

    fn unnamed(&mut self, keyword: &str, function: &str, span: Span) {
        let message = format!("`{keyword}` without a name is never run");
        let help = format!("write `{keyword}[NAME]`, and arm it with `{function}(\"NAME\")`");
        let diagnostic = Diagnostic::warning("never-run", message).label(span, "");
        self.report(diagnostic.help(help));
    }

    fn check_event(&mut self, name: &str, span: Span) {
        let has = |module: &&'static kcc_runtime::declare::Module| {
            module.events().any(|event| event.is_named(name))
        };
        if self.names.loaded().iter().any(has) {
            if name == MSG_RECEIVED {
                self.check_receive_mode(span);
            }
            return;
        }
        let message = format!("`event_route[{name}]` is never run");
        let owner = self.names.available().find(has).map(|module| module.name);
        if let Some(module) = owner {
            let help = format!("it is an event of a module: loadmodule \"{module}.so\"");
            let diagnostic = Diagnostic::warning("never-run", message).label(span, "");
            self.report(diagnostic.help(help));
            return;
        }
        let known = catalogue::event_route(name).filter(|fact| !fact.never_a_block());
        if let Some(fact) = known {
            let note = format!("kcc does not raise this event of `{}` yet", fact.module);
            let diagnostic = Diagnostic::warning("unserved-event-route", message).label(span, "");
            self.report(diagnostic.note(note));
            return;
        }
        // Some modules raise events by names that their parameters or data give.
        let given = |value: &Setting| match value {
            Setting::Str(text) => String::from_utf8_lossy(text).contains(name),
            Setting::Int(_) => false,
        };
        let of_module = name.split(':').next().unwrap_or(name);
        if self.names.unsupported().any(|module| module == of_module)
            || self.manifest.params.iter().any(|param| given(&param.value))
        {
            return;
        }
        let own = self.names.available().flat_map(|module| module.events());
        let own = own.map(|event| event.name);
        let facts = catalogue::all_event_routes().filter(|fact| !fact.never_a_block());
        let all = own.chain(facts.map(|fact| fact.name));
        let like = nearest(name, all).map(str::to_owned);
        let diagnostic = Diagnostic::warning("unknown-event-route", message)
            .label(span, "there is no such event");
        self.report(suggest(diagnostic, like));
    }

    fn check_receive_mode(&mut self, span: Span) {
        let mode = |(name, value): &(String, Setting)| {
            (name == "received_route_mode").then_some(matches!(value, Setting::Int(1)))
        };
        if self.manifest.globals.iter().rev().find_map(mode) == Some(true) {
            return;
        }
        let message = format!("`event_route[{MSG_RECEIVED}]` is never run");
        let diagnostic = Diagnostic::warning("never-run", message).label(span, "");
        self.report(diagnostic.help("write `received_route_mode=1`"));
    }
}
