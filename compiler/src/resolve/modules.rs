//! `loadmodule` and `modparam`.

use kcc_runtime::declare::{Module, ParamType};
use kcc_runtime::pattern::{Flags, Pattern};
use kcc_runtime::program::{ParamSetting, Setting};
use kcc_runtime::value::Value as RuntimeValue;

use super::Resolver;
use super::names::suggest;
use crate::catalogue;
use crate::diagnostic::{Diagnostic, nearest};
use crate::syntax::ast::{LoadModule, ModParam, Value};

impl Resolver<'_> {
    pub(super) fn load_module(&mut self, load: &LoadModule) {
        let written = load.module.lossy().into_owned();
        if load.evaluated && written.contains('$') {
            let message = "a module name with variables is known to Kamailio";
            self.unsupported("unsupported-statement", message, load.module.span);
            return;
        }
        let name = module_name(&written);
        if self.names.is_loaded(name) && name != super::names::CORE {
            let message = format!("module `{name}` is loaded twice");
            self.error("duplicate-module", message, load.module.span);
            return;
        }
        if let Some(module) = self.names.find(name) {
            if name != super::names::CORE {
                self.names.load(module);
                self.manifest.modules.push(name.to_owned());
            }
            return;
        }
        if let Some(fact) = catalogue::module(name) {
            self.names.load_unsupported(name);
            let message = format!("module `{name}` is known to Kamailio");
            let versions = Some(fact.versions);
            self.unsupported_of("unsupported-module", message, load.module.span, versions);
            return;
        }
        let own = self.names.available().map(|module| module.name);
        let like = nearest(name, own.chain(catalogue::module_names())).map(str::to_owned);
        let diagnostic =
            Diagnostic::error("unknown-module", format!("there is no module `{name}`"))
                .label(load.module.span, "");
        self.report(suggest(diagnostic, like));
    }

    pub(super) fn mod_param(&mut self, param: &ModParam) {
        let value = match &param.value {
            Value::Number(number) => Setting::Int(i64::from(number.value)),
            Value::Str(text) => {
                if param.evaluated && text.value.contains(&b'$') {
                    let message = "variables in values of `modparamx` are known to Kamailio";
                    self.unsupported("unsupported-statement", message, text.span);
                    return;
                }
                Setting::Str(text.value.to_vec())
            }
            Value::Variable(variable) => {
                let message = "variables in values of `modparamx` are known to Kamailio";
                self.unsupported("unsupported-statement", message, variable.span);
                return;
            }
        };
        let mut pattern = b"^(".to_vec();
        pattern.extend_from_slice(&param.modules.value);
        pattern.extend_from_slice(b")$");
        let flags = Flags { icase: true };
        let pattern = match Pattern::new(&pattern, flags) {
            Ok(pattern) => pattern,
            Err(error) => {
                let span = self.inside(&param.modules, error.offset.saturating_sub(2));
                let message = format!("this is not a regular expression: {}", error.message);
                self.error("bad-constant", message, span);
                return;
            }
        };
        let own: Vec<&'static Module> = self
            .names
            .loaded()
            .iter()
            .copied()
            .filter(|module| {
                module.name != super::names::CORE && pattern.is_match(module.name.as_bytes())
            })
            .collect();
        // Some modules are called otherwise here than their file.
        let registered = |name: &str| {
            catalogue::module(name).map_or(name.to_owned(), |fact| fact.registers_as.to_owned())
        };
        let others: Vec<String> = self
            .names
            .unsupported()
            .filter(|name| {
                pattern.is_match(name.as_bytes()) || pattern.is_match(registered(name).as_bytes())
            })
            .map(str::to_owned)
            .collect();
        if own.is_empty() && others.is_empty() {
            self.no_such_module(param);
            return;
        }
        for module in own {
            self.set_param(module, param, &value);
        }
        for module in others {
            self.set_unsupported(&module, param);
        }
    }

    fn no_such_module(&mut self, param: &ModParam) {
        let name = param.modules.lossy().into_owned();
        let loaded = self.names.loaded().iter().map(|module| module.name);
        let like = nearest(&name, loaded).map(str::to_owned);
        let message = format!("no module `{name}` is loaded");
        let diagnostic =
            Diagnostic::error("module-not-loaded", message).label(param.modules.span, "");
        let known = self.names.find(&name).is_some() || catalogue::module(&name).is_some();
        self.report(match (known, like) {
            (true, _) => diagnostic.help(format!("put `loadmodule \"{name}.so\"` before it")),
            (false, like) => suggest(diagnostic, like),
        });
    }

    fn set_param(&mut self, module: &'static Module, param: &ModParam, value: &Setting) {
        let name = param.name.lossy().into_owned();
        let Some(decl) = module.param(&name) else {
            if let Some(fact) = catalogue::param(module.name, &name) {
                let message = format!(
                    "parameter `{name}` of module `{}` is known to Kamailio",
                    module.name
                );
                let (span, versions) = (param.name.span, Some(fact.versions));
                self.unsupported_of("unsupported-parameter", message, span, versions);
                return;
            }
            let own = module.params.map_or(&[][..], |params| params.list);
            let own = own.iter().map(|param| param.name);
            let known = catalogue::params_of(module.name).map(|fact| fact.name);
            let like = nearest(&name, own.chain(known)).map(str::to_owned);
            let message = format!("module `{}` has no parameter `{name}`", module.name);
            let diagnostic =
                Diagnostic::error("unknown-parameter", message).label(param.name.span, "");
            self.report(suggest(diagnostic, like));
            return;
        };
        let fits = match (decl.ty, value) {
            (ParamType::Either, _) => true,
            (ParamType::Int, value) => matches!(value, Setting::Int(_)),
            (ParamType::Str, value) => matches!(value, Setting::Str(_)),
        };
        if !fits {
            let wanted = if decl.ty == ParamType::Int {
                "a number"
            } else {
                "a string"
            };
            let message = format!("`{name}` of module `{}` takes {wanted}", module.name);
            self.error("wrong-value", message, param.value_span);
            return;
        }
        if let Some(error) = self.try_param(module, &name, value) {
            let message = format!(
                "wrong value for `{name}` of module `{}`: {error}",
                module.name
            );
            self.error("wrong-value", message, param.value_span);
            return;
        }
        let place = self.file_and_line(param.name.span);
        self.manifest.params.push(ParamSetting {
            module: module.name.to_owned(),
            name,
            value: value.clone(),
            place,
        });
    }

    /// What the module itself says of the value.
    fn try_param(&self, module: &'static Module, name: &str, value: &Setting) -> Option<String> {
        let decl = module.param(name)?;
        let mut scratch = (module.params?.new)();
        let value = match value {
            Setting::Int(n) => RuntimeValue::Int(*n),
            Setting::Str(text) => RuntimeValue::Str(text),
        };
        (decl.set)(&mut *scratch, value).err()
    }

    /// A parameter of a module that is only known.
    fn set_unsupported(&mut self, module: &str, param: &ModParam) {
        let name = param.name.lossy().into_owned();
        let Some(fact) = catalogue::param(module, &name) else {
            let known = catalogue::params_of(module).map(|fact| fact.name);
            let like = nearest(&name, known).map(str::to_owned);
            let message = format!("module `{module}` has no parameter `{name}`");
            let diagnostic =
                Diagnostic::error("unknown-parameter", message).label(param.name.span, "");
            self.report(suggest(diagnostic, like));
            return;
        };
        let fits = match &param.value {
            Value::Number(_) => fact.takes_number(),
            Value::Str(_) => fact.takes_text(),
            Value::Variable(_) => true,
        };
        if !fits {
            let message = format!("`{name}` of module `{module}` takes {}", fact.kind());
            self.error("wrong-value", message, param.value_span);
        }
    }
}

/// The module that `loadmodule` names: the file's name without folders and `.so`.
fn module_name(written: &str) -> &str {
    let file = written.rsplit('/').next().unwrap_or(written);
    file.strip_suffix(".so").unwrap_or(file)
}
