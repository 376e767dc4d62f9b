//! Functions about variables as such: whether they have a value, of which type; formats made at run
//! time.

use kcc_macros::part;
use kcc_runtime::declare::{ConstantError, Parse};

/// A type that `typeof` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// An integer.
    Int,
    /// Text.
    Str,
    /// No value.
    Null,
    /// A type that no value has.
    Other,
}

impl Parse for Type {
    const NAME: &'static str = "type";
    const WHAT: &'static str = "int, str or null";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        Ok(match text {
            b"int" => Type::Int,
            b"str" => Type::Str,
            b"null" => Type::Null,
            _ => Type::Other,
        })
    }
}

/// Functions about variables as such.
#[part(module = "pv")]
pub mod exports {
    use kcc_runtime::declare::{Const, Place, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::value::{Value, tag};

    use super::Type;

    /// True if the variable has a value.
    ///
    /// ```cfg
    /// if (!pv_isset("$avp(caller)")) exit;
    /// ```
    #[function(routes = "any")]
    fn pv_isset(run: &mut Run, variable: Place) -> bool {
        !matches!(run.read(variable).kind(), tag::NULL | tag::FAIL)
    }

    /// Assigns null to the variable: removes or unsets it. Always true.
    ///
    /// ```cfg
    /// pv_unset("$avp(caller)");
    /// ```
    #[function(routes = "any")]
    fn pv_unset(run: &mut Run, variable: Place) -> bool {
        if variable.can_be_written() {
            run.write(variable, Value::Null);
        }
        true
    }

    /// True if the variable holds an integer, or is text that has a number beside it, as `$rm` and
    /// `$proto` are.
    ///
    /// ```cfg
    /// if (is_int("$var(count)")) $var(count) = $var(count) + 1;
    /// ```
    #[function(routes = "any")]
    fn is_int(run: &mut Run, variable: Place) -> bool {
        match run.read(variable).kind() {
            tag::INT => true,
            tag::STR => variable.has_hidden_integer(),
            _ => false,
        }
    }

    /// True if the value of the variable is of type `kind`: `int`, `str` or `null`.
    ///
    /// ```cfg
    /// if (typeof("$var(x)", "str")) exit;
    /// ```
    #[function(routes = "any", name = "typeof")]
    fn type_of(run: &mut Run, variable: Place, kind: Const<Type>) -> bool {
        let wanted = match *kind {
            Type::Int => tag::INT,
            Type::Str => tag::STR,
            Type::Null => tag::NULL,
            Type::Other => return false,
        };
        run.read(variable).kind() == wanted
    }

    /// True if the variable holds text that is not empty; an integer does not count.
    ///
    /// ```cfg
    /// if (!not_empty("$rU")) exit;
    /// ```
    #[function(routes = "any")]
    fn not_empty(run: &mut Run, variable: Place) -> bool {
        let value = run.read(variable);
        // The upper half of a string's tag is its length.
        value.kind() == tag::STR && value.tag >> tag::LEN_SHIFT > 0
    }

    /// Evaluates `format`, then what came out of that as a format again, and assigns the text to
    /// `target`.
    ///
    /// What a variable of the first round holds is a format in the second: text from a message that
    /// gets there can read every variable. False where it is no format, or `target` refuses the text.
    ///
    /// ```cfg
    /// $var(template) = "$$rU at $$rd";
    /// $var(template) = $_s($var(template));
    /// pv_evalx("$var(text)", "$var(template)");
    /// ```
    #[function(routes = "any")]
    fn pv_evalx(run: &mut Run, target: Place, format: Text) -> Result<bool, String> {
        let text = run.format(format).map_err(|error| error.to_string())?;
        Ok(run.assign(target, text))
    }
}
