//! Expressions by chance.

use crate::generate::Generator;

/// What is known of an expression's type without running it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Static {
    Int,
    Str,
    Open,
}

const INTEGERS: [&str; 14] = [
    "1",
    "0",
    "2",
    "3",
    "5",
    "7",
    "10",
    "31",
    "32",
    "63",
    "64",
    "65536",
    "2147483647",
    "-1",
];

const TEXTS: [&str; 20] = [
    "a",
    "",
    "5",
    "abc",
    "ABC",
    "-1",
    "+7",
    "007",
    "0x1f",
    "0xffffffff",
    "12abc",
    " 1",
    "-",
    "4294967296",
    "99999999999999999999",
    "A",
    "[",
    "^a.*C$",
    "INVITE",
    "a text of more than sixteen bytes",
];

const PATTERNS: [&str; 6] = ["^a", "[0-9]+$", "", "(b|c)c*", "^invite$", "x{2}|5"];

impl Generator<'_> {
    /// Any expression.
    pub fn any(&mut self, depth: usize) -> String {
        self.typed(depth).0
    }

    /// An expression that is not known to be text.
    pub fn not_text(&mut self, depth: usize) -> String {
        self.but(Static::Str, depth)
    }

    /// An operand without operators around it, in parentheses where it has some.
    pub fn term(&mut self, depth: usize) -> String {
        format!("({})", self.any(depth))
    }

    /// An expression whose type is not known to be `bad`; in parentheses.
    fn but(&mut self, bad: Static, depth: usize) -> String {
        let (text, found) = self.typed(depth);
        match found == bad {
            true if bad == Static::Str => format!("(int)({text})"),
            true => format!("(str)({text})"),
            false => format!("({text})"),
        }
    }

    fn typed(&mut self, depth: usize) -> (String, Static) {
        use Static::*;
        if depth == 0 {
            return self.leaf();
        }
        let depth = depth - 1;
        match self.draw.below(30) {
            0..=3 | 27..=29 => self.leaf(),
            4..=7 => {
                let op = self
                    .draw
                    .one(&["-", "*", "/", "mod", "&", "|", "^", "<<", ">>"]);
                (self.both(op, Str, depth), Int)
            }
            8..=10 => {
                let (left, found) = self.typed(depth);
                let right = match found {
                    Int => self.not_text(depth),
                    _ => self.term(depth),
                };
                let left = match self.draw.once_in(3) {
                    // A chain.
                    true => left,
                    false => format!("({left})"),
                };
                // What binds less than `+` takes the right side with it.
                match left.starts_with('(') || !left.contains(' ') {
                    true => (format!("{left} + {right}"), found),
                    false => (format!("({left}) + {right}"), found),
                }
            }
            11 | 12 => {
                let op = self.draw.one(&["<", ">", "<=", ">=", "ieq", "ine"]);
                (self.both(op, Str, depth), Int)
            }
            13 | 14 => {
                let op = self.draw.one(&["&&", "||", "and", "or"]);
                (self.both(op, Str, depth), Int)
            }
            15..=17 => {
                let op = self.draw.one(&["==", "!="]);
                if self.draw.once_in(6) {
                    let left = self.but(Int, depth);
                    return (format!("{left} {op} $null"), Int);
                }
                let (left, found) = self.typed(depth);
                let right = match found {
                    Int => self.not_text(depth),
                    _ => self.term(depth),
                };
                // `$null` on the right makes it `defined`, which takes no integer.
                let right = right.replace("($null)", "($rs)");
                (format!("({left}) {op} {right}"), Int)
            }
            18 => {
                let left = self.but(Int, depth);
                let op = self.draw.one(&["eq", "ne"]);
                (format!("{left} {op} {}", self.term(depth)), Int)
            }
            19 => {
                let left = self.but(Int, depth);
                let right = match self.draw.below(3) {
                    0 => format!("\"{}\"", self.draw.one(&PATTERNS)),
                    1 => self.variable().to_owned(),
                    // A bad pattern that is constant is refused.
                    _ => format!("($vn(b) + {})", self.term(depth)),
                };
                (format!("{left} =~ {right}"), Int)
            }
            20 => {
                let op = self.draw.one(&["!", "not ", "-", "~"]);
                (format!("{op}{}", self.not_text(depth)), Int)
            }
            21 => {
                let op = self.draw.one(&["defined", "strlen", "strempty"]);
                (format!("{op}({})", self.but(Int, depth)), Int)
            }
            22 => match self.draw.below(2) {
                0 => (format!("(int)({})", self.any(depth)), Int),
                _ => (format!("(str)({})", self.any(depth)), Str),
            },
            23 => {
                // With a constant condition the type would be that of the branch.
                let condition = match self.draw.below(2) {
                    0 => self.variable().to_owned(),
                    _ => format!("{} > {}", self.variable(), self.not_text(depth.min(1))),
                };
                let [then, other] = [(); 2].map(|()| self.any(depth.min(1)));
                (format!("selval({condition}, {then}, {other})"), Open)
            }
            26 if self.calls => self.changed_while_read(depth),
            24 if self.calls => (format!("({})", self.assignment(depth)), Int),
            _ if self.calls => (self.call(depth), Int),
            _ => self.leaf(),
        }
    }

    /// A variable that is assigned after it was read, before its value is used.
    fn changed_while_read(&mut self, depth: usize) -> (String, Static) {
        let variable = self.draw.one(&["$var(a)", "$vn(a)", "$avp(x)", "$var(b)"]);
        let (op, found) = self.draw.one(&[
            ("+", Static::Open),
            ("==", Static::Int),
            ("eq", Static::Int),
            ("ne", Static::Int),
        ]);
        let text = self.draw.one(&TEXTS);
        let change = match self.draw.below(4) {
            0 => format!("({variable} = \"{text}\")"),
            1 => format!("({variable} = {})", self.any(depth)),
            2 => format!("w_extend({variable}, \"{text}\")"),
            _ => format!("{{ {variable} = \"{text}\"; }}"),
        };
        // Nothing is folded where no side is constant.
        (format!("{variable} {op} {change}"), found)
    }

    /// Two operands that are not of a type.
    fn both(&mut self, op: &str, bad: Static, depth: usize) -> String {
        let left = self.but(bad, depth);
        let right = self.but(bad, depth);
        // `$null` on the right makes it `defined`, which takes no integer.
        let right = right.replace("($null)", "($rs)");
        format!("{left} {op} {right}")
    }

    fn leaf(&mut self) -> (String, Static) {
        match self.draw.below(8) {
            0 | 1 => (self.draw.one(&INTEGERS).to_owned(), Static::Int),
            2 => (format!("\"{}\"", self.draw.one(&TEXTS)), Static::Str),
            3 if self.draw.once_in(6) => ("$null".to_owned(), Static::Open),
            _ => (self.variable().to_owned(), Static::Open),
        }
    }
}
