//! `name=>key`, where the name is one that a module's parameter declares.

use kcc_runtime::declare::Family;
use kcc_runtime::program::Setting;

use super::names::suggest;
use super::{Resolver, lossy};
use crate::diagnostic::{Diagnostic, nearest};
use crate::ir::Arg;
use crate::source::Span;
use crate::syntax::literal::Locator;

impl Resolver<'_> {
    /// Checks the name; the whole is a format.
    pub(super) fn keyed(
        &mut self,
        family: &'static Family,
        text: &[u8],
        locator: &Locator,
        span: Span,
    ) -> Option<Arg> {
        let Some(arrow) = text.windows(2).position(|two| two == b"=>") else {
            let message = format!("a {} and a key are expected: `name=>key`", family.what);
            self.error("missing-key", message, span);
            return None;
        };
        let name = text[..arrow].trim_ascii();
        let declared: Vec<String> = self
            .manifest
            .params
            .iter()
            .filter(|given| given.module == family.module && given.name == family.param)
            .filter_map(|given| match &given.value {
                Setting::Str(value) => (family.name)(value),
                Setting::Int(_) => None,
            })
            .map(|name| lossy(name).into_owned())
            .collect();
        let name = lossy(name);
        if !declared.iter().any(|declared| *declared == name) {
            let like = nearest(&name, declared.iter().map(String::as_str)).map(str::to_owned);
            let message = format!("there is no {} `{name}`", family.what);
            let diagnostic = Diagnostic::warning("undeclared-name", message).label(span, "");
            let Family { module, param, .. } = family;
            self.report(match like {
                Some(like) => suggest(diagnostic, Some(like)),
                None => diagnostic.help(format!(
                    "declare it: `modparam(\"{module}\", \"{param}\", \"{name}=>…\")`"
                )),
            });
        }
        Some(Arg::Value(self.format(text, locator)?))
    }
}
