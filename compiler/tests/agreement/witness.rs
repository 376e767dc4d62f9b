//! Functions and transformations that note what they are given, for compiled code.

use std::cell::RefCell;

use kcc_runtime::value::Value;

use crate::values;

thread_local! {
    /// The calls, in order.
    pub static CALLS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Calls of one run, at most: compiled code that goes astray ends there.
const MOST_CALLS: usize = 50_000;

fn noted(call: String) {
    CALLS.with_borrow_mut(|calls| {
        assert!(calls.len() < MOST_CALLS, "the program does not end");
        calls.push(call);
    });
}

/// A value of the runtime as one of the interpreter's, to be shown alike.
pub fn shown(value: Value<'_>) -> String {
    match value {
        Value::Null => values::Value::Null,
        Value::Int(n) => values::Value::Int(n),
        Value::Str(text) => values::Value::Str(text.to_vec()),
    }
    .to_string()
}

/// Functions and transformations that tell what they are given.
#[kcc_macros::module(name = "witness")]
pub mod declared {
    use kcc_runtime::declare::{Int, Parsed, Place, Raw, RouteRef, Text};
    use kcc_runtime::intrinsics::Icase;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::{Failed, Verdict};
    use kcc_runtime::value::{Val, Value};

    use super::{noted, shown};

    /// Text.
    #[function(routes = "any")]
    fn w_note(_run: &mut Run, text: Text) -> bool {
        noted(format!("note {}", shown(Value::Str(text))));
        true
    }

    /// Any value.
    #[function(routes = "any")]
    fn w_value(_run: &mut Run, value: Value) -> bool {
        noted(format!("value {}", shown(value)));
        true
    }

    /// The code that is asked for.
    #[function(routes = "any")]
    fn w_code(_run: &mut Run, code: Int) -> Verdict {
        noted(format!("code {code}"));
        Verdict::Code(code)
    }

    /// Arguments that may be left out; code 2.
    #[function(routes = "any")]
    fn w_both(_run: &mut Run, n: Option<Int>, text: Option<Text>) -> Verdict {
        let n = n.map_or(Value::Null, Value::Int);
        let text = text.map_or(Value::Null, Value::Str);
        noted(format!("both {} {}", shown(n), shown(text)));
        Verdict::Code(2)
    }

    /// Text as written; code -1.
    #[function(routes = "any")]
    fn w_raw(_run: &mut Run, text: Raw) -> bool {
        noted(format!("raw {}", shown(Value::Str(text.0))));
        false
    }

    /// Puts text behind what a variable holds.
    #[function(routes = "any")]
    fn w_extend(run: &mut Run, target: Place, more: Text) -> bool {
        let old = run.read(target);
        // SAFETY: the value lives until the statement ends.
        let mut text = unsafe { old.view() }.text().into_owned();
        text.extend_from_slice(more);
        noted(format!("extend {}", shown(Value::Str(&text))));
        run.write(target, Value::Str(&text))
    }

    /// The number of a failure_route.
    #[function(routes = "any")]
    fn w_arm(_run: &mut Run, route: RouteRef<2>) -> bool {
        noted(format!("arm {}", route.0));
        true
    }

    /// A pattern, parsed or not.
    #[function(routes = "any")]
    fn w_pattern(_run: &mut Run, pattern: Parsed<Icase>) -> bool {
        noted(match pattern {
            Parsed::Constant(_) => "pattern".to_owned(),
            Parsed::Text(text) => format!("pattern {}", shown(Value::Str(text))),
        });
        true
    }

    fn wanted(_run: &mut Run, level: Option<Int>) -> bool {
        let level = level.unwrap_or_default();
        noted(format!("wanted {level}"));
        level < 2
    }

    /// A function with a guard; code -3.
    #[function(routes = "any", guard = wanted)]
    fn w_say(_run: &mut Run, level: Int, text: Text) -> Verdict {
        noted(format!("say {level} {}", shown(Value::Str(text))));
        Verdict::Code(-3)
    }

    /// Ends the script.
    #[function(routes = "any")]
    fn w_exit(_run: &mut Run) -> Verdict {
        noted("exit".to_owned());
        Verdict::Exit
    }

    /// Ends the script and drops the message.
    #[function(routes = "any")]
    fn w_drop(_run: &mut Run) -> Verdict {
        noted("drop".to_owned());
        Verdict::Drop
    }

    /// Text between a number and text; fails for a negative number.
    #[transformation("w.mix")]
    fn mix(run: &mut Run, input: Text, n: Int, with: Text) -> Result<Val, Failed> {
        if n < 0 {
            return Err(Failed);
        }
        let mut text = n.to_string().into_bytes();
        text.extend_from_slice(input);
        text.extend_from_slice(with);
        Ok(run.text(&text))
    }

    /// What kind of value it is; a parameter may be left out.
    #[transformation("w.kind", null)]
    fn kind(run: &mut Run, input: Value, other: Option<Value>) -> Val {
        let text = format!("{}/{}", shown(input), shown(other.unwrap_or(Value::Null)));
        run.text(text.as_bytes())
    }
}
