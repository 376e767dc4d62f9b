//! The expressions of `#!ifexp` and `#!defexp` (language reference §2.3).
//!
//! Numbers are floating point. The left operand's type decides how two values are compared and
//! whether `+` adds or joins.

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 64;

/// Value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Text(Vec<u8>),
}

impl Value {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Number(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
        }
    }

    /// As a define's value: without a fraction when there is none.
    pub(super) fn to_text(&self) -> String {
        match self {
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                format!("{}", *number as i64)
            }
            Value::Number(number) => format!("{number}"),
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Value::Number(number) => *number,
            Value::Text(text) => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0.0),
        }
    }

    fn text(&self) -> Vec<u8> {
        match self {
            Value::Number(_) => self.to_text().into_bytes(),
            Value::Text(text) => text.clone(),
        }
    }
}

/// What is wrong and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EvaluateError {
    pub(super) at: usize,
    pub(super) message: &'static str,
}

/// Text of a define by name.
type Lookup<'a> = dyn Fn(&[u8]) -> Option<Vec<u8>> + 'a;

/// Evaluates `text`. A name gives 0 if it is not defined, 1 if it is defined without a value, else
/// its value.
pub(super) fn evaluate(text: &[u8], defines: &Lookup<'_>) -> Result<Value, EvaluateError> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        defines,
    };
    let value = reader.binary(0)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.error("this is not expected here"));
    }
    Ok(value)
}

/// Binary operators by level, lowest first; longer signs before their prefixes.
const LEVELS: [&[&str]; 8] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
];
const SUM: usize = LEVELS.len();
const PRODUCT: usize = SUM + 1;
const POWER: usize = PRODUCT + 1;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    defines: &'a Lookup<'a>,
}

impl Reader<'_> {
    fn error(&self, message: &'static str) -> EvaluateError {
        EvaluateError {
            at: self.at,
            message,
        }
    }

    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn deeper(&mut self) -> Result<(), EvaluateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("nested too deep"));
        }
        Ok(())
    }

    /// The operator of this level that comes next.
    fn operator(&mut self, level: usize) -> Option<&'static str> {
        self.blanks();
        let signs: &[&str] = match level {
            SUM => &["+", "-"],
            PRODUCT => &["*", "/", "%"],
            POWER => &["**"],
            _ => LEVELS[level],
        };
        let rest = &self.text[self.at..];
        let sign = signs
            .iter()
            .find(|sign| rest.starts_with(sign.as_bytes()))
            .copied()?;
        // One sign must not be taken for the start of a longer one.
        let next = rest.get(sign.len()).copied().unwrap_or(0);
        let longer = match sign {
            "|" => next == b'|',
            "&" => next == b'&',
            "*" => next == b'*',
            "<" | ">" => next == sign.as_bytes()[0],
            _ => false,
        };
        if longer {
            return None;
        }
        self.at += sign.len();
        Some(sign)
    }

    fn binary(&mut self, level: usize) -> Result<Value, EvaluateError> {
        if level > POWER {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(sign) = self.operator(level) {
            let right = self.binary(level + 1)?;
            left = self.apply(sign, &left, &right)?;
        }
        Ok(left)
    }

    fn apply(&self, sign: &str, left: &Value, right: &Value) -> Result<Value, EvaluateError> {
        let truth = |holds: bool| Value::Number(f64::from(u8::from(holds)));
        let order = |holds: fn(std::cmp::Ordering) -> bool| {
            let order = match left {
                Value::Number(number) => number.partial_cmp(&right.number()),
                Value::Text(text) => Some(text.cmp(&right.text())),
            };
            truth(order.is_some_and(holds))
        };
        let (a, b) = (left.number(), right.number());
        let (int_a, int_b) = (a as i64, b as i64);
        let shift = int_b.clamp(0, 63) as u32;
        Ok(match sign {
            "||" => truth(left.is_true() || right.is_true()),
            "&&" => truth(left.is_true() && right.is_true()),
            "|" => Value::Number((int_a | int_b) as f64),
            "^" => Value::Number((int_a ^ int_b) as f64),
            "&" => Value::Number((int_a & int_b) as f64),
            "==" => order(std::cmp::Ordering::is_eq),
            "!=" => order(std::cmp::Ordering::is_ne),
            "<=" => order(std::cmp::Ordering::is_le),
            ">=" => order(std::cmp::Ordering::is_ge),
            "<" => order(std::cmp::Ordering::is_lt),
            ">" => order(std::cmp::Ordering::is_gt),
            "<<" => Value::Number(int_a.wrapping_shl(shift) as f64),
            ">>" => Value::Number((int_a >> shift) as f64),
            "+" => match left {
                Value::Number(_) => Value::Number(a + b),
                Value::Text(text) => Value::Text([text.as_slice(), &right.text()].concat()),
            },
            "-" => Value::Number(a - b),
            "*" => Value::Number(a * b),
            "/" | "%" if b == 0.0 => return Err(self.error("division by zero")),
            "/" => Value::Number(a / b),
            "%" => Value::Number(a % b),
            _ => Value::Number(a.powf(b)),
        })
    }

    fn unary(&mut self) -> Result<Value, EvaluateError> {
        self.blanks();
        self.deeper()?;
        let value = match self.text.get(self.at) {
            Some(sign @ (b'-' | b'!' | b'^')) => {
                self.at += 1;
                let operand = self.unary()?;
                Value::Number(match sign {
                    b'-' => -operand.number(),
                    b'!' => f64::from(u8::from(!operand.is_true())),
                    _ => !(operand.number() as i64) as f64,
                })
            }
            Some(b'(') => {
                self.at += 1;
                let value = self.binary(0)?;
                self.blanks();
                if self.text.get(self.at) != Some(&b')') {
                    return Err(self.error("`)` is missing"));
                }
                self.at += 1;
                value
            }
            Some(quote @ (b'"' | b'\'')) => {
                let rest = &self.text[self.at + 1..];
                let Some(length) = memchr::memchr(*quote, rest) else {
                    return Err(self.error("this string is not closed"));
                };
                let value = Value::Text(rest[..length].to_vec());
                self.at += length + 2;
                value
            }
            Some(b'0'..=b'9') => self.number()?,
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => self.name(),
            _ => return Err(self.error("a value is expected")),
        };
        self.depth -= 1;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, EvaluateError> {
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
            .count();
        let number = std::str::from_utf8(&rest[..length])
            .ok()
            .and_then(|text| text.parse().ok());
        let Some(number) = number else {
            return Err(self.error("this is no number"));
        };
        self.at += length;
        Ok(Value::Number(number))
    }

    fn name(&mut self) -> Value {
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let value = (self.defines)(&rest[..length]);
        self.at += length;
        let Some(text) = value else {
            return Value::Number(0.0);
        };
        if text.is_empty() {
            return Value::Number(1.0);
        }
        let bare = match text.as_slice() {
            [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => {
                return Value::Text(inner.to_vec());
            }
            bare => bare,
        };
        let number = std::str::from_utf8(bare)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        match number {
            Some(number) => Value::Number(number),
            None => Value::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Value, EvaluateError> {
        evaluate(text.as_bytes(), &|name| match name {
            b"FIVE" => Some(b"5".to_vec()),
            b"NAME" => Some(b"\"abc\"".to_vec()),
            b"ON" => Some(Vec::new()),
            _ => None,
        })
    }

    #[test]
    fn the_left_operand_decides_the_type() {
        for (text, expected) in [
            ("1 + 2 * 3", Value::Number(7.0)),
            ("2 ** 3", Value::Number(8.0)),
            ("FIVE + \"1\"", Value::Number(6.0)),
            ("NAME + 1", Value::Text(b"abc1".to_vec())),
            ("NAME == 'abc'", Value::Number(1.0)),
            ("ON && !NOPE", Value::Number(1.0)),
            ("(FIVE > 4) | 2", Value::Number(3.0)),
            ("1 << 4 >= 2", Value::Number(1.0)),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
        assert_eq!(value("5 / 2").map(|v| v.to_text()), Ok("2.5".to_owned()));
        for text in ["", "1 +", "(1", "1 / 0", "1 2", "\"a"] {
            assert!(value(text).is_err(), "{text}");
        }
        assert!(value(&"(".repeat(10_000)).is_err());
    }
}
