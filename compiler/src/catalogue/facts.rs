//! What is known about one name of a Kamailio module: plain values that borrow from the embedded
//! tables.

use super::table::Row;

/// A Kamailio version that the tables describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 4.2.8.
    V4_2,
    /// 5.6.3.
    V5_6,
    /// 6.1.4.
    V6,
    /// The coming 6.2.
    Dev,
}

/// In which versions a description holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    mask: &'static str,
    span: &'static str,
}

impl Versions {
    pub(super) fn new(mask: &'static str, span: &'static str) -> Versions {
        Versions { mask, span }
    }

    /// Whether the description is that of `version`.
    pub fn has(self, version: Version) -> bool {
        self.mask.contains(match version {
            Version::V4_2 => '4',
            Version::V5_6 => '5',
            Version::V6 => '6',
            Version::Dev => 'd',
        })
    }

    /// First release series with the name, such as `5.1`; `None`: 4.0 had it already.
    pub fn since(self) -> Option<&'static str> {
        self.span
            .split_once("..")
            .map(|(since, _)| since)
            .filter(|text| !text.is_empty())
    }

    /// Last release series with the name, such as `5.8`; `None`: it is still there.
    pub fn until(self) -> Option<&'static str> {
        self.span
            .split_once("..")
            .map(|(_, until)| until)
            .filter(|text| !text.is_empty())
    }
}

impl Versions {
    /// For people: since when and until when Kamailio has it; `None` where it always had it.
    pub fn in_words(self) -> Option<String> {
        match (self.since(), self.until()) {
            (None, None) => None,
            (Some(since), None) => Some(format!("Kamailio has it since {since}")),
            (None, Some(until)) => Some(format!("Kamailio had it until {until}")),
            (Some(since), Some(until)) if since == until => {
                Some(format!("only Kamailio {since} had it"))
            }
            (Some(since), Some(until)) => Some(format!("Kamailio had it from {since} to {until}")),
        }
    }
}

/// How many arguments a form of a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly so many, in parentheses.
    Exactly(u8),
    /// Any number.
    Any,
    /// None, and no parentheses (`exit;`).
    Bare,
}

impl Arity {
    pub(super) fn read(text: &str) -> Arity {
        match text {
            "var" => Arity::Any,
            "bare" => Arity::Bare,
            number => number.parse().map_or(Arity::Any, Arity::Exactly),
        }
    }

    /// Whether a call with `count` arguments in parentheses fits.
    pub fn takes(self, count: usize) -> bool {
        match self {
            Arity::Exactly(number) => usize::from(number) == count,
            Arity::Any => true,
            Arity::Bare => false,
        }
    }
}

/// One form of a module's function: its name with one number of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionFact {
    /// The function's name.
    pub name: &'static str,
    /// The module that has it, by file name.
    pub module: &'static str,
    /// How many arguments this form takes.
    pub arity: Arity,
    kinds: &'static str,
    routes: &'static str,
    /// The arguments must be constant when the configuration is read.
    pub constant: bool,
    /// In which versions this form is so.
    pub versions: Versions,
}

impl FunctionFact {
    pub(super) fn read(row: Row) -> FunctionFact {
        let [name, module, arity, kinds, routes, constant, mask, span] = row.columns();
        FunctionFact {
            name,
            module,
            arity: Arity::read(arity),
            kinds,
            routes,
            constant: constant == "c",
            versions: Versions::new(mask, span),
        }
    }

    /// The kind of each argument (`spve`, `igp`, `pvar`, `opaque:what`, `a|b` …); with
    /// [`Arity::Any`] the last one repeats.
    pub fn kinds(self) -> impl Iterator<Item = &'static str> {
        words(self.kinds)
    }

    /// The blocks it may be called in: `ANY`, or `REQUEST`, `FAILURE`, `ONREPLY`, `TM_ONREPLY`,
    /// `CORE_ONREPLY`, `BRANCH`, `ONSEND`, `ERROR`, `LOCAL`, `BRANCH_FAILURE`, `EVENT`.
    pub fn routes(self) -> impl Iterator<Item = &'static str> {
        self.routes.split(',')
    }

    /// Whether it may be called in the block kind `route`, one of the names of [`Self::routes`].
    ///
    /// `ONREPLY` stands for both kinds of reply route, and an event route takes what has
    /// `REQUEST` or `EVENT`, as in Kamailio.
    pub fn allowed_in(self, route: &str) -> bool {
        self.routes().any(|allowed| match allowed {
            "ANY" => true,
            "ONREPLY" => matches!(route, "ONREPLY" | "TM_ONREPLY" | "CORE_ONREPLY"),
            "REQUEST" => matches!(route, "REQUEST" | "EVENT"),
            other => other == route,
        })
    }

    /// The form as a person writes it: `t_relay(host, str)`.
    pub fn signature(self) -> String {
        signature(self.name, self.arity, self.kinds)
    }
}

/// A module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleFact {
    /// Its file name without `.so`, as `loadmodule` takes it.
    pub name: &'static str,
    /// The name that `modparam()` takes; mostly the file name.
    pub registers_as: &'static str,
    /// In which versions it exists.
    pub versions: Versions,
}

impl ModuleFact {
    pub(super) fn read(row: Row) -> ModuleFact {
        let [name, registers_as, mask, span] = row.columns();
        ModuleFact {
            name,
            registers_as: if registers_as.is_empty() {
                name
            } else {
                registers_as
            },
            versions: Versions::new(mask, span),
        }
    }
}

/// A parameter of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamFact {
    /// The module that has it.
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    kind: &'static str,
    /// May be given several times.
    pub repeatable: bool,
    default: &'static str,
    /// In which versions it is so.
    pub versions: Versions,
}

impl ParamFact {
    pub(super) fn read(row: Row) -> ParamFact {
        let [module, name, kind, function, default, mask, span] = row.columns();
        ParamFact {
            module,
            name,
            kind,
            repeatable: function == "f",
            default,
            versions: Versions::new(mask, span),
        }
    }

    /// `str`, `int` or `int|str`.
    pub fn kind(self) -> &'static str {
        self.kind
    }

    /// Whether a string is taken.
    pub fn takes_text(self) -> bool {
        self.kind.contains("str")
    }

    /// Whether a number is taken.
    pub fn takes_number(self) -> bool {
        self.kind.contains("int")
    }

    /// The value it has when it is not set, with `\t`, `\n`, `\r`, `\\` for those characters;
    /// `None` when not known, which for a text mostly means none.
    pub fn default(self) -> Option<&'static str> {
        self.default.strip_prefix('=')
    }
}

/// A class of pseudo-variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PvFact {
    /// The class, without `$`: `rU`, `avp`.
    pub name: &'static str,
    /// The module that has it.
    pub module: &'static str,
    flags: &'static str,
    inner: &'static str,
    /// In which versions it is so.
    pub versions: Versions,
}

impl PvFact {
    pub(super) fn read(row: Row) -> PvFact {
        let [name, module, flags, inner, mask, span] = row.columns();
        PvFact {
            name,
            module,
            flags,
            inner,
            versions: Versions::new(mask, span),
        }
    }

    /// Whether it may be assigned to.
    pub fn writable(self) -> bool {
        self.flags.contains('w')
    }

    /// Whether it needs an inner name, `$x(name)`. Without it takes none.
    pub fn named(self) -> bool {
        self.flags.contains('n')
    }

    /// Whether it takes an index, `$(x[i])`.
    pub fn indexed(self) -> bool {
        self.flags.contains('i')
    }

    /// Whether the inner name is split at `=>`.
    pub fn arrow(self) -> bool {
        self.flags.contains('a')
    }

    /// Inner names that it knows; not always all of them, and some are prefixes only.
    pub fn inner_names(self) -> impl Iterator<Item = &'static str> {
        words(self.inner)
    }
}

/// A transformation, `{class.name}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransformationFact {
    /// The class: `s`, `uri`.
    pub class: &'static str,
    /// The name within the class: `len`, `encode.hexa`.
    pub name: &'static str,
    /// The module that has it.
    pub module: &'static str,
    arities: &'static str,
    kinds: &'static str,
    flags: &'static str,
    spelled: &'static str,
    /// In which versions it exists.
    pub versions: Versions,
}

impl TransformationFact {
    pub(super) fn read(row: Row) -> TransformationFact {
        let [
            class,
            name,
            module,
            arities,
            kinds,
            flags,
            spelled,
            mask,
            span,
        ] = row.columns();
        TransformationFact {
            class,
            name,
            module,
            arities,
            kinds,
            flags,
            spelled,
            versions: Versions::new(mask, span),
        }
    }

    /// The numbers of arguments it can take.
    pub fn arities(self) -> impl Iterator<Item = usize> {
        self.arities
            .split(',')
            .filter_map(|number| number.parse().ok())
    }

    /// The kind of each argument: `int`, `str` (text or variable), `chr`, `subst`.
    pub fn kinds(self) -> impl Iterator<Item = &'static str> {
        words(self.kinds)
    }

    /// The argument runs to the closing brace, commas included.
    pub fn takes_rest(self) -> bool {
        self.flags.contains('r')
    }

    /// Kamailio lists it but never matches it.
    pub fn dead(self) -> bool {
        self.flags.contains('d')
    }

    /// The only spelling that Kamailio matches, where it is not the name.
    pub fn spelled(self) -> Option<&'static str> {
        Some(self.spelled).filter(|text| !text.is_empty())
    }

    /// The transformation as a person writes it: `{s.substr,int,int}`.
    pub fn signature(self) -> String {
        let mut text = format!("{{{}.{}", self.class, self.name);
        for kind in self.kinds() {
            text.push(',');
            text.push_str(kind);
        }
        text.push('}');
        text
    }
}

/// An event route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRouteFact {
    /// Its name; a `*` stands for a part of the user's choice.
    pub name: &'static str,
    /// The module that runs it.
    pub module: &'static str,
    how: &'static str,
    /// In which versions it exists.
    pub versions: Versions,
}

impl EventRouteFact {
    pub(super) fn read(row: Row) -> EventRouteFact {
        let [name, module, how, mask, span] = row.columns();
        EventRouteFact {
            name,
            module,
            how,
            versions: Versions::new(mask, span),
        }
    }

    /// Whether the name has a free part.
    pub fn is_pattern(self) -> bool {
        self.how == "pattern"
    }

    /// Whether the name is only the usual one, set by a parameter.
    pub fn configurable(self) -> bool {
        self.how == "conf"
    }

    /// Kamailio never runs a block of this name: it only reaches scripts in other languages.
    pub fn never_a_block(self) -> bool {
        self.how == "kemi"
    }

    /// Whether a block `event_route[name]` is this one.
    pub fn matches(self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => name.len() > start.len() && name.starts_with(start),
            None => self.name == name,
        }
    }
}

/// A command of the control interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcFact {
    /// Its name: `core.uptime`.
    pub name: &'static str,
    /// The module that has it.
    pub module: &'static str,
    /// A command of the older management interface, gone after 4.4.
    pub old_interface: bool,
    /// In which versions it exists.
    pub versions: Versions,
}

impl RpcFact {
    pub(super) fn read(row: Row) -> RpcFact {
        let [name, module, via, mask, span] = row.columns();
        RpcFact {
            name,
            module,
            old_interface: via == "mi",
            versions: Versions::new(mask, span),
        }
    }
}

pub(super) fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(' ').filter(|word| !word.is_empty())
}

pub(super) fn signature(name: &str, arity: Arity, kinds: &str) -> String {
    match arity {
        Arity::Bare => name.to_owned(),
        Arity::Exactly(_) => format!("{name}({})", kinds.replace(' ', ", ")),
        Arity::Any if kinds.is_empty() => format!("{name}(...)"),
        Arity::Any => format!("{name}({}, ...)", kinds.replace(' ', ", ")),
    }
}
