//! File-level statements.

use super::{Body, Builder};
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::*;
use crate::syntax::token::{Kind, ROUTE_KEYWORDS, is_parameter};

impl Builder<'_> {
    pub(in crate::syntax) fn parameter(
        &self,
        name: u32,
        value: ParameterValue,
        first: u32,
        end: u32,
    ) -> ItemKind {
        let name = self.name(name);
        ItemKind::Parameter(Parameter {
            known: is_parameter(&name.text),
            name,
            value,
            value_span: self.span(first, end),
        })
    }

    pub(in crate::syntax) fn parameter_ip(&mut self, index: u32) -> ParameterValue {
        match self.address(index) {
            Some(address) => ParameterValue::Ip(address),
            None => ParameterValue::Word(self.text(index, index + 1)),
        }
    }

    pub(in crate::syntax) fn custom(
        &mut self,
        group: u32,
        instance: Option<u32>,
        member: u32,
        value: Value,
        description: Option<Str>,
    ) -> ItemKind {
        let group_name = self.name(group);
        if &*group_name.text == "kemi" && instance.is_none() {
            let Value::Str(function) = value else {
                let place = self.token_span(member);
                self.report(
                    Diagnostic::error(
                        "syntax",
                        "a callback takes the name of a function as a string",
                    )
                    .label(place, "not given a string"),
                );
                return ItemKind::Error;
            };
            return ItemKind::Kemi(Kemi {
                callback: self.name(member),
                function,
            });
        }
        for index in [group, member] {
            self.refuse_reserved(index, "a custom parameter");
        }
        if let Value::Number(number) = &value
            && number.value < 0
            && self.sources.text(number.span).starts_with(b"-")
        {
            let span = number.span;
            self.report(
                Diagnostic::error("syntax", "a custom parameter cannot be negative")
                    .label(span, "negative")
                    .help("write it as a string"),
            );
        }
        ItemKind::Custom(Custom {
            group: group_name,
            instance: instance.map(|index| self.number(index)),
            name: self.name(member),
            value,
            description,
        })
    }

    /// Reports a keyword used as a name.
    fn refuse_reserved(&mut self, index: u32, what: &str) {
        let token = self.token(index);
        if matches!(
            token.kind,
            Kind::Word | Kind::CoreCall | Kind::BareCall | Kind::Number
        ) {
            let word = self.text(index, index + 1);
            self.report(
                Diagnostic::error("reserved-word", format!("`{word}` cannot name {what}"))
                    .label(token.span, "a word or number of the language")
                    .help("choose another name"),
            );
        }
    }

    pub(in crate::syntax) fn core_parameter(
        &mut self,
        word: u32,
        name: u32,
        value: Value,
    ) -> ItemKind {
        if &*self.text(word, word + 1) != "coreparam" {
            let span = self.span(word, name + 2);
            self.report(
                Diagnostic::error("syntax", "this is no statement")
                    .label(span, "unknown")
                    .help("an instance of a custom parameter is written group[1].name = value"),
            );
            return ItemKind::Error;
        }
        let name = match self.token(name).kind {
            Kind::Str => self.string_name(name),
            _ => self.name(name),
        };
        ItemKind::CoreParameter(CoreParameter { name, value })
    }

    pub(in crate::syntax) fn flag(&self, name: u32, bit: Option<u32>) -> FlagDeclaration {
        let name = match self.token(name).kind {
            Kind::Str => self.string_name(name),
            _ => self.name(name),
        };
        FlagDeclaration {
            name,
            bit: bit.map(|index| self.number(index)),
        }
    }

    pub(in crate::syntax) fn load_module(
        &self,
        word: u32,
        module: Str,
        options: Option<Str>,
    ) -> ItemKind {
        ItemKind::LoadModule(LoadModule {
            module,
            options,
            evaluated: self.token(word).value != 0,
        })
    }

    pub(in crate::syntax) fn mod_param(
        &self,
        word: u32,
        modules: Str,
        name: Str,
        value: Value,
        first: u32,
        end: u32,
    ) -> ItemKind {
        ItemKind::ModParam(ModParam {
            modules,
            name,
            value,
            value_span: self.span(first, end),
            evaluated: self.token(word).value != 0,
        })
    }

    pub(in crate::syntax) fn string_name(&self, index: u32) -> Name {
        let string = self.string(index);
        Name {
            text: string.lossy().into(),
            span: string.span,
        }
    }

    pub(in crate::syntax) fn number_name(&self, index: u32) -> Name {
        let number = self.number(index);
        Name {
            text: number.value.to_string().into(),
            span: number.span,
        }
    }

    /// A route name of the tokens from `first` to the one before `end`; only one is allowed.
    pub(in crate::syntax) fn route_word(&mut self, first: u32, end: u32) -> Name {
        let name = Name {
            text: self.text(first, end),
            span: self.span(first, end),
        };
        if end > first + 1 {
            self.report(
                Diagnostic::error(
                    "bad-route-name",
                    "a route name with `.` or `-` needs quotes",
                )
                .label(name.span, "several words")
                .help(format!("write [\"{}\"]", name.text)),
            );
        }
        name
    }

    pub(in crate::syntax) fn reserved_route(&mut self, index: u32) -> Name {
        let name = self.name(index);
        self.report(
            Diagnostic::error(
                "reserved-word",
                format!("`{}` cannot name a route as it stands", name.text),
            )
            .label(name.span, "a word of the language")
            .help(format!("put it in quotes: [\"{}\"]", name.text)),
        );
        name
    }

    /// A route block of any kind but `event_route`.
    pub(in crate::syntax) fn route(
        &mut self,
        word: u32,
        name: Option<Name>,
        body: Body,
    ) -> ItemKind {
        let token = self.token(word);
        let keyword = match token.kind {
            Kind::RouteKind => ROUTE_KEYWORDS.get(token.value as usize).copied(),
            _ => None,
        };
        let (text, kind, takes_name) = keyword.unwrap_or(("route", RouteKind::Request, true));
        if let Some(name) = &name
            && !takes_name
        {
            let other = kind.keyword();
            self.report(
                Diagnostic::error("bad-route-name", format!("`{text}` takes no name"))
                    .label(name.span, "not allowed")
                    .help(format!(
                        "for a block with a name write {other}[{}]",
                        name.text
                    )),
            );
        }
        ItemKind::Route(Route {
            kind,
            kind_span: token.span,
            // `route[0]` is the block without a name.
            name: name.filter(|name| {
                let unnamed = matches!(kind, RouteKind::Request | RouteKind::Reply);
                !(unnamed && &*name.text == "0")
            }),
            body: body.block,
        })
    }

    pub(in crate::syntax) fn event_route(&self, word: u32, name: u32, body: Body) -> ItemKind {
        ItemKind::Route(Route {
            kind: RouteKind::Event,
            kind_span: self.token_span(word),
            name: Some(self.name(name)),
            body: body.block,
        })
    }
}
