//! File-level statements: global parameters and flags. Sockets and modules have files of their own.

use kcc_runtime::custom::taken_apart;
use kcc_runtime::program::Setting;
use kcc_runtime::settings::Settings;
use kcc_runtime::value::parse_int;

use super::Resolver;
use crate::catalogue;
use crate::diagnostic::{Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::ast::{
    self, CoreParameter, Custom, FlagDeclaration, ItemKind, Parameter, ParameterValue, Value,
};

/// Parameters whose number may be negative.
const NEGATIVE: [&str; 35] = [
    "core_log",
    "corelog",
    "debug",
    "dns_sctp_pref",
    "dns_sctp_preference",
    "dns_tcp_pref",
    "dns_tcp_preference",
    "dns_tls_pref",
    "dns_tls_preference",
    "dns_udp_pref",
    "dns_udp_preference",
    "ip_free_bind",
    "ip_nonlocal_bind",
    "ipfreebind",
    "latency_cfg_log",
    "latency_log",
    "mem_add_size",
    "mem_dbg",
    "mem_join",
    "mem_log",
    "mem_safety",
    "mem_status_mode",
    "mem_summary",
    "memdbg",
    "memlog",
    "received_route_mode",
    "sip_parser_log",
    "sip_parser_log_oneline",
    "sip_parser_mode",
    "tcp_connect_timeout",
    "tcp_connection_lifetime",
    "tcp_script_mode",
    "tcp_send_timeout",
    "tcp_wait_data",
    "udp4_raw",
];

impl Resolver<'_> {
    /// Everything but route blocks.
    pub(super) fn items(&mut self, file: &ast::File) {
        self.manifest.modules.extend(
            self.names
                .loaded()
                .iter()
                .map(|module| module.name.to_owned()),
        );
        for item in &file.items {
            match &item.kind {
                ItemKind::Parameter(parameter) => self.parameter(parameter),
                ItemKind::Listen(listen) => self.listen(listen, item.span),
                ItemKind::Alias(names) => self.alias(names),
                ItemKind::Socket(socket) => self.socket(socket, item.span),
                ItemKind::Flags(flags) => self.declare_flags(flags, false),
                ItemKind::AvpFlags(flags) => self.declare_flags(flags, true),
                ItemKind::LoadModule(load) => self.load_module(load),
                ItemKind::ModParam(param) => self.mod_param(param),
                ItemKind::Custom(custom) => self.custom(custom),
                ItemKind::CoreParameter(parameter) => self.core_parameter(parameter),
                ItemKind::Kemi(_) => {
                    let message = "scripts in other languages are known to Kamailio";
                    self.unsupported("unsupported-statement", message, item.span);
                }
                ItemKind::CfgEngine(name) => {
                    if !matches!(&*name.value, b"native" | b"default") {
                        let message = "scripts in other languages are known to Kamailio";
                        self.unsupported("unsupported-statement", message, item.span);
                    }
                }
                ItemKind::LoadPath(_) | ItemKind::Route(_) | ItemKind::Error => {}
            }
        }
        self.check_instances();
    }

    /// `group[2].name` needs `group.name`, and a value of its type.
    fn check_instances(&mut self) {
        let globals = std::mem::take(&mut self.manifest.globals);
        for (written, value) in &globals {
            let Some((group, Some(_), name)) = taken_apart(written) else {
                continue;
            };
            let span = self.customs.get(written).copied().unwrap_or_default();
            let base = format!("{group}.{name}");
            match globals.iter().find(|(other, _)| *other == base) {
                None => {
                    let message = format!("there is no parameter `{base}`");
                    self.report(
                        Diagnostic::error("unknown-parameter", message)
                            .label(span, "an instance needs one")
                            .help(format!("declare it: {base} = …")),
                    );
                }
                Some((_, Setting::Int(_))) if !is_number(value) => {
                    let message = format!("`{base}` is a number, and this is none");
                    self.error("wrong-value", message, span);
                }
                Some(_) => {}
            }
        }
        self.manifest.globals = globals;
    }

    fn parameter(&mut self, parameter: &Parameter) {
        let name = &*parameter.name.text;
        let Some(fact) = catalogue::global(name) else {
            let like = nearest(name, catalogue::global_names()).map(str::to_owned);
            let message = format!("there is no parameter `{name}`");
            let diagnostic =
                Diagnostic::error("unknown-parameter", message).label(parameter.name.span, "");
            self.report(super::names::suggest(diagnostic, like));
            return;
        };
        let kinds: Vec<&str> = fact.kinds().collect();
        let takes = |kind: &str| kinds.contains(&kind);
        let host = takes("socket") || takes("host");
        let (setting, fits) = match &parameter.value {
            ParameterValue::Number(n) => {
                let text = self.sources.text(parameter.value_span);
                let negative = text.first() == Some(&b'-');
                let fits = takes("int") && (!negative || NEGATIVE.contains(&name));
                match host && !fits {
                    // A host name can be a number.
                    true => (Setting::Str(text.to_vec()), !negative),
                    false => (Setting::Int(i64::from(*n)), fits),
                }
            }
            ParameterValue::Str(text) => (Setting::Str(text.value.to_vec()), takes("str") || host),
            ParameterValue::Word(word) => {
                let plain = takes("id") && !word.contains(['.', '-']);
                let named = plain || host || takes(word);
                (Setting::Str(word.as_bytes().to_vec()), named)
            }
            ParameterValue::Ip(address) => {
                let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
                let fits = host || takes(family);
                (Setting::Str(address.to_string().into_bytes()), fits)
            }
            ParameterValue::Protocol(protocol) => {
                let text = super::core_call::protocol_text(*protocol);
                (
                    Setting::Str(text.as_bytes().to_vec()),
                    takes("proto") || takes(text),
                )
            }
        };
        if !fits && !kinds.is_empty() {
            let message = format!("`{name}` takes no value of this kind");
            self.report(
                Diagnostic::error("wrong-value", message)
                    .label(parameter.value_span, "")
                    .note(format!("it takes {}", kinds_in_words(&kinds))),
            );
            return;
        }
        if let (Setting::Str(text), Some(words)) = (&setting, words_of(name))
            && !words.iter().any(|word| match name {
                "ipv6_hex_style" => word.as_bytes() == &**text,
                _ => word.as_bytes().eq_ignore_ascii_case(text),
            })
        {
            let message = format!("`{name}` has no such value");
            self.report(
                Diagnostic::error("wrong-value", message)
                    .label(parameter.value_span, "")
                    .note(format!("it takes {}", words.join(", "))),
            );
            return;
        }
        let canonical = canonical(name, &fact);
        if !Settings::NAMES.contains(&canonical) {
            let message = format!("`{name}` has no effect here");
            self.warning("parameter-without-effect", message, parameter.name.span);
        }
        self.manifest.globals.push((canonical.to_owned(), setting));
    }

    /// `coreparam["name"] = value`
    fn core_parameter(&mut self, parameter: &CoreParameter) {
        let name = &*parameter.name.text;
        let known = [
            ("iuid", true),
            ("random_engine", true),
            ("timer_sanity_check", false),
        ];
        let Some((_, text)) = known.into_iter().find(|(other, _)| *other == name) else {
            let like = nearest(name, known.into_iter().map(|(name, _)| name)).map(str::to_owned);
            let message = format!("there is no parameter `{name}` of this kind");
            let diagnostic =
                Diagnostic::error("unknown-parameter", message).label(parameter.name.span, "");
            self.report(super::names::suggest(diagnostic, like));
            return;
        };
        let setting = match &parameter.value {
            Value::Str(value) if text => Setting::Str(value.value.to_vec()),
            Value::Number(value) if !text => Setting::Int(value.value.into()),
            _ => {
                let wanted = if text { "a string" } else { "a number" };
                let message = format!("`{name}` takes {wanted}");
                self.error("wrong-value", message, parameter.name.span);
                return;
            }
        };
        if !Settings::NAMES.contains(&name) {
            let message = format!("`{name}` has no effect here");
            self.warning("parameter-without-effect", message, parameter.name.span);
        }
        self.manifest.globals.push((name.to_owned(), setting));
    }

    fn custom(&mut self, custom: &Custom) {
        let group = &*custom.group.text;
        if matches!(group, "core" | "tcp" | "sctp") {
            let message = format!("the group `{group}` is the server's own");
            self.error("duplicate-parameter", message, custom.group.span);
            return;
        }
        let mut name = custom.group.text.to_string();
        if let Some(instance) = custom.instance {
            name = format!("{name}[{}]", instance.value);
        }
        name = format!("{name}.{}", custom.name.text);
        let setting = match &custom.value {
            Value::Number(n) => Setting::Int(i64::from(n.value)),
            Value::Str(text) => Setting::Str(text.value.to_vec()),
            Value::Variable(variable) => {
                self.error(
                    "wrong-value",
                    "a number or a string is expected",
                    variable.span,
                );
                return;
            }
        };
        // The last value of an instance holds.
        if let Some(before) = self.customs.insert(name.clone(), custom.name.span)
            && custom.instance.is_none()
        {
            let message = format!("`{name}` is given twice");
            self.report(
                Diagnostic::error("duplicate-parameter", message)
                    .label(custom.name.span, "")
                    .label(before, "it was given here"),
            );
            return;
        }
        self.manifest.globals.push((name, setting));
    }

    /// Flags get the lowest free bit where none is asked for.
    fn declare_flags(&mut self, list: &[FlagDeclaration], of_avps: bool) {
        for flag in list {
            if of_avps && let Some(bit) = &flag.bit {
                self.error("bad-flag", "a flag of AVPs has no number", bit.span);
            }
            let flags = if of_avps { &self.avpflags } else { &self.flags };
            if let Some((_, before)) = flags.get(&flag.name.text) {
                let before: Span = *before;
                if of_avps {
                    continue;
                }
                let message = format!("flag `{}` is declared twice", flag.name.text);
                self.report(
                    Diagnostic::error("duplicate-flag", message)
                        .label(flag.name.span, "")
                        .label(before, "it was declared here"),
                );
                continue;
            }
            let taken = |bit: u8| flags.values().any(|(other, _)| *other == bit);
            let bit = match flag.bit {
                Some(number) => match u8::try_from(number.value).ok().filter(|bit| *bit < 32) {
                    Some(bit) => {
                        if taken(bit) {
                            let message = format!("flag {bit} has another name already");
                            self.warning("duplicate-flag", message, number.span);
                        }
                        bit
                    }
                    None => {
                        self.error("bad-flag", "flags are 0 to 31", number.span);
                        continue;
                    }
                },
                None => match (0..32).find(|bit| !taken(*bit)) {
                    Some(bit) => bit,
                    None => {
                        self.error("bad-flag", "all 32 flags have names", flag.name.span);
                        continue;
                    }
                },
            };
            let entry = (bit, flag.name.span);
            if of_avps {
                self.avpflags.insert(flag.name.text.clone(), entry);
            } else {
                self.flags.insert(flag.name.text.clone(), entry);
                self.manifest.flags.push((flag.name.text.to_string(), bit));
            }
        }
    }
}

/// The words that a parameter takes, where it does not take any.
fn words_of(parameter: &str) -> Option<&'static [&'static str]> {
    Some(match parameter {
        "log_facility" => &[
            "LOG_AUTH",
            "LOG_AUTHPRIV",
            "LOG_CRON",
            "LOG_DAEMON",
            "LOG_FTP",
            "LOG_KERN",
            "LOG_LOCAL0",
            "LOG_LOCAL1",
            "LOG_LOCAL2",
            "LOG_LOCAL3",
            "LOG_LOCAL4",
            "LOG_LOCAL5",
            "LOG_LOCAL6",
            "LOG_LOCAL7",
            "LOG_LPR",
            "LOG_MAIL",
            "LOG_NEWS",
            "LOG_SYSLOG",
            "LOG_USER",
            "LOG_UUCP",
        ],
        "tcp_poll_method" => &[
            "poll",
            "epoll_lt",
            "epoll_et",
            "sigio_rt",
            "select",
            "kqueue",
            "/dev/poll",
        ],
        "ipv6_hex_style" => &["a", "A", "c"],
        _ => return None,
    })
}

fn is_number(value: &Setting) -> bool {
    match value {
        Setting::Int(_) => true,
        Setting::Str(text) => parse_int(text).is_some(),
    }
}

/// What a parameter takes, as a person says it.
fn kinds_in_words(kinds: &[&str]) -> String {
    let mut words: Vec<&str> = kinds
        .iter()
        .map(|kind| match *kind {
            "int" => "a number",
            "str" => "a string",
            "id" => "a word without quotes",
            "ipv4" | "ipv6" => "an address",
            "proto" => "a protocol",
            "socket" | "socket-list" => "[protocol:]address[:port]",
            word => word,
        })
        .collect();
    words.dedup();
    words.join(" or ")
}

/// The spelling that the runtime knows, else the first in order.
fn canonical<'a>(name: &'a str, fact: &catalogue::GlobalFact) -> &'a str
where
    'static: 'a,
{
    let mut all: Vec<&'a str> = fact.synonyms().collect();
    all.push(name);
    all.sort_unstable();
    let known = all
        .iter()
        .copied()
        .find(|name| Settings::NAMES.contains(name));
    known.unwrap_or(all[0])
}
