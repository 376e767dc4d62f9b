//! A small core, and modules whose functions tell what they were given.

use std::cell::RefCell;

use kcc_runtime::declare::Module;

use super::State;

thread_local! {
    pub static STATE: RefCell<State> = RefCell::new(State::default());
}

/// Every module of the tests.
pub const ALL: &[&Module] = &[
    &core::MODULE,
    &probe::MODULE,
    &textops::MODULE,
    &unloaded::MODULE,
];

/// The language's own statements and variables.
#[kcc_macros::module(name = "core")]
pub mod core {
    use kcc_runtime::declare::{ConstantError, Flag, Index, Int, Parse, Parsed, Raw, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::value::{Owned, Val, Value};

    use super::STATE;

    /// Sets a flag.
    #[function(routes = "any")]
    fn setflag(run: &mut Run, flag: Flag) -> bool {
        run.head.message_flags |= 1 << flag.0;
        true
    }

    /// Clears a flag.
    #[function(routes = "any")]
    fn resetflag(run: &mut Run, flag: Flag) -> bool {
        run.head.message_flags &= !(1 << flag.0);
        true
    }

    /// Tests a flag.
    #[function(routes = "any")]
    fn isflagset(run: &mut Run, flag: Flag) -> bool {
        run.head.message_flags & (1 << flag.0) != 0
    }

    /// Sets the user.
    #[function(routes = "any")]
    fn rewriteuser(_run: &mut Run, user: Text) -> bool {
        STATE.with_borrow_mut(|state| state.user = user.to_vec());
        true
    }

    /// Removes characters.
    #[function(routes = "any")]
    fn strip(_run: &mut Run, _n: Int) -> bool {
        true
    }

    /// Answers later.
    #[function(routes = "any")]
    fn forward(_run: &mut Run, host: Option<Text>, port: Option<Text>) -> bool {
        let text = format!(
            "forward {:?} {:?}",
            host.map(String::from_utf8_lossy),
            port.map(String::from_utf8_lossy)
        );
        STATE.with_borrow_mut(|state| state.lines.push(text));
        true
    }

    /// The method.
    #[pv]
    fn rm(run: &mut Run) -> &'static str {
        if run.head.method == 1 {
            "INVITE"
        } else {
            "OPTIONS"
        }
    }

    #[pv_int("rm")]
    fn rm_int(run: &mut Run) -> i64 {
        i64::from(run.head.method)
    }

    /// The URI.
    #[pv(aliases("ruri"))]
    fn ru(_run: &mut Run) -> &'static str {
        "sip:bob@127.0.0.1:5099"
    }

    /// The user.
    #[pv(name = "rU")]
    fn user(run: &mut Run) -> Val {
        let user = STATE.with_borrow(|state| state.user.clone());
        run.text(&user)
    }

    #[pv_write("rU")]
    fn set_user(_run: &mut Run, value: Value) -> Result<(), &'static str> {
        let Value::Str(user) = value else {
            return Err("a string is expected");
        };
        STATE.with_borrow_mut(|state| state.user = user.to_vec());
        Ok(())
    }

    /// The port.
    #[pv]
    fn rp(_run: &mut Run) -> &'static str {
        "5099"
    }

    #[pv_int("rp")]
    fn rp_int(_run: &mut Run) -> i64 {
        5099
    }

    /// The status: none.
    #[pv]
    fn rs(_run: &mut Run) -> Option<i64> {
        None
    }

    /// The protocol.
    #[pv(name = "proto", aliases("pr"))]
    fn proto(_run: &mut Run) -> &'static str {
        "udp"
    }

    #[pv_int("proto")]
    fn proto_int(_run: &mut Run) -> i64 {
        1
    }

    /// The source address.
    #[pv]
    fn si(_run: &mut Run) -> &'static str {
        "127.0.0.1"
    }

    /// The source port.
    #[pv]
    fn sp(_run: &mut Run) -> i64 {
        5060
    }

    /// The flags.
    #[pv]
    fn mf(run: &mut Run) -> i64 {
        i64::from(run.head.message_flags)
    }

    /// A format.
    #[pv(name = "_s")]
    fn format(run: &mut Run, text: Text) -> Val {
        run.text(text)
    }

    /// A header: none.
    #[pv]
    fn hdr(_run: &mut Run, _name: Raw) -> Option<&'static str> {
        None
    }

    /// A name.
    pub struct Name(pub Vec<u8>);

    impl Parse for Name {
        const NAME: &'static str = "test-name";
        const WHAT: &'static str = "a name";

        fn parse(text: &[u8]) -> Result<Self, ConstantError> {
            match text.iter().position(|byte| !byte.is_ascii_alphanumeric()) {
                Some(offset) => Err(ConstantError {
                    offset,
                    message: "only letters and digits can stand here".to_owned(),
                }),
                None => Ok(Name(text.to_vec())),
            }
        }
    }

    fn name_of(name: Parsed<'_, Name>) -> Vec<u8> {
        match name {
            Parsed::Constant(name) => name.0.clone(),
            Parsed::Text(text) => text.to_vec(),
        }
    }

    /// Lists of values; 0 is the newest.
    #[pv]
    fn avp(run: &mut Run, name: Parsed<Name>, index: Index) -> Option<Val> {
        let name = name_of(name);
        let all = STATE.with_borrow(|state| state.avps.get(&name).cloned())?;
        if index == Index::All {
            let texts: Vec<String> = all
                .iter()
                .rev()
                .map(|value| String::from_utf8_lossy(&value.as_value().text()).into_owned())
                .collect();
            return Some(run.text(texts.join(", ").as_bytes()));
        }
        let n = index.among(all.len())?;
        let value = &all[all.len() - 1 - n];
        Some(match value {
            Owned::Int(n) => Val::int(*n),
            Owned::Str(text) => run.text(text),
        })
    }

    #[pv_write("avp")]
    fn set_avp(
        _run: &mut Run,
        name: Parsed<Name>,
        _index: Index,
        value: Value,
    ) -> Result<(), &'static str> {
        let name = name_of(name);
        STATE.with_borrow_mut(|state| {
            let list = state.avps.entry(name).or_default();
            match Owned::copy(value) {
                Some(value) => list.push(value),
                None => drop(list.pop()),
            }
        });
        Ok(())
    }

    /// Length.
    #[transformation("s.len")]
    fn len(_run: &mut Run, input: Text) -> i64 {
        input.len() as i64
    }

    /// Upper case.
    #[transformation("s.toupper")]
    fn toupper(run: &mut Run, input: Text) -> Val {
        run.text(&input.to_ascii_uppercase())
    }

    /// A part.
    #[transformation("s.substr")]
    fn substr(run: &mut Run, input: Text, from: Int, len: Int) -> Val {
        let from = (from as usize).min(input.len());
        let to = (from + len as usize).min(input.len());
        run.text(&input[from..to])
    }
}

/// Functions that tell what they were given.
#[kcc_macros::module(name = "probe")]
pub mod probe {
    use kcc_runtime::declare::{Const, Int, Parsed, Place, RouteRef, Text};
    use kcc_runtime::intrinsics::Icase;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::Value;

    use super::STATE;

    /// Parameters.
    #[params]
    pub struct Params {
        /// A number.
        #[param(default = 5)]
        pub count: i64,
        /// A text.
        #[param(default = "")]
        pub label: Vec<u8>,
    }

    /// Notes a line.
    #[function(routes = "any", name = "L")]
    fn line(_run: &mut Run, text: Text) -> bool {
        let text = String::from_utf8_lossy(text).into_owned();
        STATE.with_borrow_mut(|state| state.lines.push(text));
        true
    }

    /// Returns a code.
    #[function(routes = "any")]
    fn code(_run: &mut Run, code: Int) -> Verdict {
        Verdict::Code(code)
    }

    /// Notes the type of a value.
    #[function(routes = "any", name = "any")]
    fn any_value(_run: &mut Run, value: Value) -> bool {
        let text = format!("{value:?}");
        STATE.with_borrow_mut(|state| state.lines.push(text));
        true
    }

    /// Puts a text behind a variable's.
    #[function(routes = "any")]
    fn append(run: &mut Run, target: Place, more: Text) -> bool {
        let old = run.read(target);
        // SAFETY: the value lives until the statement ends.
        let mut text = unsafe { old.view() }.text().into_owned();
        text.extend_from_slice(more);
        run.write(target, Value::Str(&text))
    }

    /// Notes the number of a block.
    #[function(routes = "request")]
    fn arm(run: &mut Run, route: RouteRef<2>) -> bool {
        let name = run.program.manifest.routes.get(route.0 as usize);
        let name = name.map_or("none".to_owned(), |route| route.name.clone());
        STATE.with_borrow_mut(|state| state.lines.push(name));
        true
    }

    /// Searches.
    #[function(routes = "any")]
    fn find(_run: &mut Run, text: Text, pattern: Const<Icase>) -> bool {
        pattern.0.is_match(text)
    }

    /// Tells how the pattern came.
    #[function(routes = "any")]
    fn find_any(_run: &mut Run, pattern: Parsed<Icase>) -> bool {
        let text = match pattern {
            Parsed::Constant(_) => "constant".to_owned(),
            Parsed::Text(text) => String::from_utf8_lossy(text).into_owned(),
        };
        STATE.with_borrow_mut(|state| state.lines.push(text));
        true
    }

    /// Panics.
    #[function(routes = "any")]
    fn breaks(_run: &mut Run) -> bool {
        panic!("on purpose")
    }

    fn wanted(_run: &mut Run, level: Option<Int>) -> bool {
        level != Some(9)
    }

    /// Notes a line, but not at level 9.
    #[function(routes = "any", guard = wanted)]
    fn say(_run: &mut Run, level: Int, text: Text) -> Verdict {
        let text = format!("{level} {}", String::from_utf8_lossy(text));
        STATE.with_borrow_mut(|state| state.lines.push(text));
        Verdict::Code(2)
    }
}

/// Functions that the code generator knows.
#[kcc_macros::module(name = "textops")]
pub mod textops {
    use kcc_runtime::declare::{Const, ConstantError, Parse};
    use kcc_runtime::run::Run;

    /// A set of methods.
    pub struct Methods(u32);

    impl Parse for Methods {
        const NAME: &'static str = "test-methods";
        const WHAT: &'static str = "a list of methods";

        fn parse(text: &[u8]) -> Result<Self, ConstantError> {
            let bit = |name| kcc_sip::method::Method::parse(name).bit();
            Ok(Methods(text.split(|&byte| byte == b'|').map(bit).sum()))
        }
    }

    /// Tests the method.
    #[function(routes = "any")]
    fn is_method(run: &mut Run, methods: Const<Methods>) -> bool {
        run.head.method & methods.0 != 0
    }
}

/// A module that no test loads.
#[kcc_macros::module(name = "unloaded")]
pub mod unloaded {
    use kcc_runtime::run::Run;

    /// Does nothing.
    #[function(routes = "any")]
    fn absent(_run: &mut Run) -> bool {
        true
    }
}
