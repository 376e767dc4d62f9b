//! Variables that need no message: codes, the environment, defines, versions, constants.

use super::key::keys;
use crate::program::Program;
use crate::value::parse_int;

keys! {
    /// What `$version(…)` tells.
    VersionKey("version-key", "a key of $version") {
        /// The number.
        Number = "num",
        /// Name, number and machine.
        Full = "full",
        /// The revision.
        Hash = "hash",
    }
}

keys! {
    /// What `$ksr(…)` tells.
    LanguageKey("ksr-key", "a key of $ksr") {
        /// The version of the language.
        Version = "ver",
        /// The same as a number.
        Number = "verval",
    }
}

/// The Kamailio version whose language this is.
const LANGUAGE: (&str, i64) = ("6.1.0", 6_001_000);

/// The text of a define: `Some(None)` where it has none.
fn define<'a>(program: &'a Program, name: &[u8]) -> Option<Option<&'a str>> {
    let mut defines = program.manifest.defines.iter();
    let (_, text) = defines.find(|(other, _)| other.as_bytes() == name)?;
    Some(text.as_deref())
}

/// A define's text without the quotes around it.
fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

fn number(text: &[u8]) -> i64 {
    parse_int(text).unwrap_or(0)
}

fn environment(name: &[u8]) -> Option<std::ffi::OsString> {
    use std::os::unix::ffi::OsStrExt;
    if name.is_empty() || name.contains(&b'=') || name.contains(&0) {
        return None;
    }
    std::env::var_os(std::ffi::OsStr::from_bytes(name))
}

/// Variables of the core.
#[kcc_macros::part(module = "core")]
pub mod core {
    use std::os::unix::ffi::OsStrExt;

    use crate::declare::Raw;
    use crate::run::Run;
    use crate::value::Val;

    use super::{define, environment, number, unquoted};

    /// The code of the last function of a module, `route()` or `exit`.
    ///
    /// ```cfg
    /// route(CHECK);
    /// if ($rc < 0) exit;
    /// ```
    #[pv(name = "rc", aliases("retcode", "?"))]
    fn rc(run: &mut Run) -> i64 {
        run.head.rc
    }

    /// No value. Assigning it removes or unsets a variable; as the right side of a comparison it
    /// asks whether there is a value.
    ///
    /// ```cfg
    /// if ($du == $null) exit;
    /// ```
    #[pv(name = "null")]
    fn null(_run: &mut Run) -> Val {
        Val::NULL
    }

    /// The text of a define as written, quotes included; empty where it has none, null where there is
    /// no such define.
    #[pv(name = "def")]
    fn def(run: &mut Run, name: Raw) -> Option<Val> {
        Some(Val::str(
            define(&run.program, name.0)?.unwrap_or("").as_bytes(),
        ))
    }

    /// A define as an integer; 0 where it is none or there is no such define.
    #[pv(name = "defn")]
    fn defn(run: &mut Run, name: Raw) -> i64 {
        let text = define(&run.program, name.0).flatten().unwrap_or("");
        number(unquoted(text).as_bytes())
    }

    /// A define as `$defn` shows it inside of text: as it is written, without quotes around it; 0
    /// where there is no such define.
    #[pv(name = "defn:text")]
    fn defn_text(run: &mut Run, name: Raw) -> Val {
        match define(&run.program, name.0) {
            Some(text) => Val::str(unquoted(text.unwrap_or("")).as_bytes()),
            None => Val::int(0),
        }
    }

    /// The text of a define without quotes around it; null where there is no such define.
    #[pv(name = "defv")]
    fn defv(run: &mut Run, name: Raw) -> Option<Val> {
        let text = define(&run.program, name.0)?.unwrap_or("");
        Some(Val::str(unquoted(text).as_bytes()))
    }

    /// The text of a define in double quotes; null where there is no such define.
    #[pv(name = "defs")]
    fn defs(run: &mut Run, name: Raw) -> Option<Val> {
        let text = unquoted(define(&run.program, name.0)?.unwrap_or(""));
        let space = run.scratch.alloc(text.len() + 2)?;
        let len = text.len();
        space[0] = b'"';
        space[1..=len].copy_from_slice(text.as_bytes());
        space[len + 1] = b'"';
        Some(Val::str(space))
    }

    /// The id of this instance, as `coreparam["iuid"]` gives it; null without.
    #[pv(name = "iuid")]
    fn iuid(run: &mut Run) -> Option<Val> {
        let id = run.program.settings.iuid.as_ref()?;
        Some(Val::str(id.as_bytes()))
    }

    /// A variable of the environment; null where it is not set.
    ///
    /// ```cfg
    /// if ($env(HOME) == $null) exit;
    /// ```
    #[pv(name = "env")]
    fn env(run: &mut Run, name: Raw) -> Option<Val> {
        environment(name.0).map(|text| run.text(text.as_bytes()))
    }

    /// A variable of the environment as an integer; 0 where it is none or not set.
    #[pv(name = "envn")]
    fn envn(_run: &mut Run, name: Raw) -> i64 {
        environment(name.0).map_or(0, |text| number(text.as_bytes()))
    }
}

/// Variables of `pv` that need no message.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::{Const, Text};
    use crate::run::Run;
    use crate::value::Val;

    use super::{LANGUAGE, LanguageKey, VersionKey};

    /// The process id.
    #[pv(name = "pp")]
    fn pp(_run: &mut Run) -> i64 {
        i64::from(std::process::id())
    }

    /// The integer 1.
    #[pv(name = "true")]
    fn truth(_run: &mut Run) -> i64 {
        1
    }

    /// The text with its variables replaced.
    ///
    /// ```cfg
    /// $var(uri) = $_s(sip:$rU@$si:$sp);
    /// ```
    #[pv(name = "_s")]
    fn formatted(_run: &mut Run, text: Text) -> Val {
        Val::str(text)
    }

    /// The version of this server: `num` the number, `full` with name and machine, `hash` the
    /// revision it was made from, `unknown` where that was not noted.
    #[pv(name = "version")]
    fn version(run: &mut Run, key: Const<VersionKey>) -> Val {
        let number = env!("CARGO_PKG_VERSION");
        let text = match *key {
            VersionKey::Number => number,
            VersionKey::Hash => option_env!("KCC_REVISION").unwrap_or("unknown"),
            VersionKey::Full => {
                let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
                return crate::variables::written::<96>(
                    run,
                    format_args!("kcc {number} ({arch}/{os})"),
                );
            }
        };
        Val::str(text.as_bytes())
    }

    /// The version of Kamailio whose language this is: `ver` as text, `verval` as an integer, three
    /// digits a part.
    ///
    /// ```cfg
    /// if ($ksr(verval) >= 5006000) exit;
    /// ```
    #[pv(name = "ksr")]
    fn ksr(_run: &mut Run, key: Const<LanguageKey>) -> Val {
        match *key {
            LanguageKey::Version => Val::str(LANGUAGE.0.as_bytes()),
            LanguageKey::Number => Val::int(LANGUAGE.1),
        }
    }

    /// The class of a parse error: always null, as on Kamailio.
    #[pv(name = "err.class")]
    fn err_class(_run: &mut Run) -> Val {
        Val::NULL
    }

    /// The level of a parse error: always null, as on Kamailio.
    #[pv(name = "err.level")]
    fn err_level(_run: &mut Run) -> Val {
        Val::NULL
    }

    /// The text of a parse error: always null, as on Kamailio.
    #[pv(name = "err.info")]
    fn err_info(_run: &mut Run) -> Val {
        Val::NULL
    }

    /// The reply code of a parse error: always null, as on Kamailio.
    #[pv(name = "err.rcode")]
    fn err_rcode(_run: &mut Run) -> Val {
        Val::NULL
    }

    /// The reason phrase of a parse error: always null, as on Kamailio.
    #[pv(name = "err.rreason")]
    fn err_rreason(_run: &mut Run) -> Val {
        Val::NULL
    }

    /// A line feed.
    #[pv(name = "En")]
    fn line_feed(_run: &mut Run) -> &'static str {
        "\n"
    }

    /// A carriage return.
    #[pv(name = "Er")]
    fn carriage_return(_run: &mut Run) -> &'static str {
        "\r"
    }

    /// A space.
    #[pv(name = "Es")]
    fn space(_run: &mut Run) -> &'static str {
        " "
    }

    /// A tab.
    #[pv(name = "Et")]
    fn tab(_run: &mut Run) -> &'static str {
        "\t"
    }

    /// A comma.
    #[pv(name = "Ec")]
    fn comma(_run: &mut Run) -> &'static str {
        ","
    }

    /// A double quote.
    #[pv(name = "Eq")]
    fn double_quote(_run: &mut Run) -> &'static str {
        "\""
    }

    /// A single quote.
    #[pv(name = "Ek")]
    fn single_quote(_run: &mut Run) -> &'static str {
        "'"
    }

    /// A colon.
    #[pv(name = "Ei")]
    fn colon(_run: &mut Run) -> &'static str {
        ":"
    }

    /// A semicolon.
    #[pv(name = "Ej")]
    fn semicolon(_run: &mut Run) -> &'static str {
        ";"
    }

    /// A backslash.
    #[pv(name = "Eb")]
    fn backslash(_run: &mut Run) -> &'static str {
        "\\"
    }

    /// A back tick.
    #[pv(name = "Ev")]
    fn back_tick(_run: &mut Run) -> &'static str {
        "`"
    }
}
