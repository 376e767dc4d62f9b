//! Configurations by chance: blocks and statements.
//!
//! **Invariant:** what is generated is accepted by the checker, save for what only the whole
//! of it shows.

use crate::draw::Draw;

/// `max_recursive_level` of generated programs.
pub const MAX_DEPTH: i64 = 12;

/// Statements of one program, at most.
const MOST_STATEMENTS: usize = 9;

/// A program while it is made.
pub struct Generator<'d> {
    /// The choices.
    pub draw: &'d mut Draw,
    /// Statements that may still be made.
    left: usize,
    /// Calls may stand here.
    pub calls: bool,
}

/// The text of a configuration.
pub fn program(draw: &mut Draw) -> String {
    let mut generator = Generator {
        draw,
        left: MOST_STATEMENTS,
        calls: true,
    };
    generator.program()
}

impl Generator<'_> {
    fn program(&mut self) -> String {
        let mut text = String::new();
        for module in ["pv", "textops", "siputils", "witness"] {
            text.push_str(&format!("loadmodule \"{module}.so\"\n"));
        }
        let rounds = self.draw.one(&[5, 3, 1, 50]);
        text.push_str(&format!(
            "max_while_loops={rounds}\nmax_recursive_level={MAX_DEPTH}\n"
        ));
        if self.draw.once_in(4) {
            text.push_str(self.draw.one(&["return_mode=1\n", "return_mode=2\n"]));
        }
        let first = self
            .draw
            .one(&["", "$var(a) = \"abc\";", "$vn(a) = \"5\"; $avp(x) = 7;"]);
        let main = self.block(3, 6);
        text.push_str(&format!("request_route {{ {first}\n{}\n", &main[2..]));
        for name in ["A", "B", "3"] {
            let body = self.block(2, 3);
            text.push_str(&format!("route[{name}] {body}\n"));
        }
        text.push_str("failure_route[F] { exit; }\n");
        text
    }

    /// `{ … }` with statements up to a depth.
    pub fn block(&mut self, depth: usize, most: usize) -> String {
        let mut text = "{\n".to_owned();
        for _ in 0..self.draw.below(most + 1) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            text.push_str(&self.statement(depth));
            text.push('\n');
        }
        // A block cannot be empty.
        text.push_str(if text.len() == 2 { ";}" } else { "}" });
        text
    }

    fn statement(&mut self, depth: usize) -> String {
        let kinds = if depth == 0 { 11 } else { 18 };
        match self.draw.below(kinds) {
            0 => format!("w_value({});", self.argument(2)),
            1..=4 => format!("{};", self.assignment(3)),
            5..=7 => format!("{};", self.call(2)),
            8 => self.leaving(),
            9 => format!("w_note(\"{}\");", self.format()),
            10 => ";".to_owned(),
            11 | 12 => self.conditional(depth - 1),
            13 | 14 => {
                let condition = self.not_text(3);
                format!("while ({condition}) {}", self.block(depth - 1, 3))
            }
            15 => self.number_switch(depth - 1),
            16 => self.text_switch(depth - 1),
            _ => {
                let target = self.target();
                format!("{target} = {};", self.block(depth - 1, 3))
            }
        }
    }

    fn leaving(&mut self) -> String {
        let word = self
            .draw
            .one(&["return", "return", "return", "break", "exit", "drop"]);
        if word == "break" || self.draw.once_in(3) {
            return format!("{word};");
        }
        let value = self.not_text(2);
        format!("{word}({value});")
    }

    fn conditional(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for n in 0..1 + self.draw.below(3) {
            let condition = self.any(3);
            let word = if n == 0 { "if" } else { " else if" };
            text.push_str(&format!("{word} ({condition}) {}", self.block(depth, 3)));
        }
        if self.draw.once_in(2) {
            text.push_str(&format!(" else {}", self.block(depth, 3)));
        }
        text
    }

    /// A part of a list in its order, never empty.
    fn some<'a>(&mut self, list: &[&'a str]) -> Vec<&'a str> {
        let mut chosen: Vec<&str> = Vec::new();
        for one in list {
            if self.draw.once_in(2) {
                chosen.push(one);
            }
        }
        if chosen.is_empty() {
            chosen.push(list[0]);
        }
        chosen
    }

    fn number_switch(&mut self, depth: usize) -> String {
        let labels = self.some(&["0", "1", "-1", "5", "1+1", "2147483647", "7"]);
        let selector = self.any(3);
        self.switch(&selector, labels, depth)
    }

    fn text_switch(&mut self, depth: usize) -> String {
        let labels = self.some(&[
            "\"\"",
            "\"a\"",
            "/\"^a\"",
            "\"5\"",
            "/\"[0-9]+$\"",
            "\"ABC\"",
            "/\"^$\"",
            "\"-1\"",
            "/\"(b|c)c*\"",
        ]);
        let selector = self.any(3);
        self.switch(&selector, labels, depth)
    }

    fn switch(&mut self, selector: &str, labels: Vec<&str>, depth: usize) -> String {
        let mut text = format!("switch ({selector}) {{\n");
        // A default at the front is refused where labels are text.
        let default = self.draw.below(2 * labels.len() + 2);
        for (n, label) in labels.iter().enumerate() {
            text.push_str(&format!("case {label}: {}\n", self.case(depth)));
            if default == n + 1 {
                text.push_str(&format!("default: {}\n", self.case(depth)));
            }
        }
        text.push('}');
        text
    }

    fn case(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.draw.below(3) {
            if self.left > 0 {
                self.left -= 1;
                text.push_str(&self.statement(depth));
                text.push(' ');
            }
        }
        if self.draw.once_in(2) {
            text.push_str("break;");
        }
        text
    }

    /// `target = value`
    pub fn assignment(&mut self, depth: usize) -> String {
        if self.draw.once_in(12) {
            let user = self.draw.one(&[
                "\"carol\"",
                "\"\"",
                "$null",
                "$rU + \"x\"",
                "5",
                "$hdr(X-A)",
            ]);
            return format!("$rU = {user}");
        }
        let target = self.target();
        let value = match self.draw.once_in(8) {
            true => "$null".to_owned(),
            false => self.any(depth),
        };
        format!("{target} = {value}")
    }

    /// What is assigned.
    pub fn target(&mut self) -> &'static str {
        self.draw.one(&[
            "$var(a)",
            "$var(b)",
            "$var(c)",
            "$vz(b)",
            "$vn(a)",
            "$vn(b)",
            "$avp(x)",
            "$avp(y)",
            "$(avp(x)[*])",
            "$(avp(x)[1])",
            "$avp(i:5)",
            "$avp($var(a))",
            "$avp($vn(a))",
        ])
    }

    /// A variable to read.
    pub fn variable(&mut self) -> &'static str {
        self.draw.one(&[
            "$var(a)",
            "$var(b)",
            "$var(c)",
            "$vz(a)",
            "$vn(a)",
            "$vn(b)",
            "$avp(x)",
            "$avp(y)",
            "$rc",
            "$rm",
            "$proto",
            "$rs",
            "$rU",
            "$mf",
            "$avp(i:5)",
            "$hdr(X-A)",
            "$hdr(X-B)",
            "$(avp(x)[0])",
            "$(avp(x)[1])",
            "$(avp(x)[-1])",
            "$(avp(x)[*])",
            "$(avp(x)[$var(b)])",
            "$avp($var(a))",
            "$avp($vn(b))",
            "$(var(a){s.len})",
            "$(vn(a){s.toupper})",
            "$(vn(a){val.n0})",
            "$(avp(x){val.ne})",
            "$(rm{s.len})",
            "$(vn(b){s.len}{val.ne})",
            "$(var(a){w.mix,3,z})",
            "$(vn(a){w.mix,$var(b),$var(a)})",
            "$(avp(y){w.kind})",
            "$(vn(a){w.kind,$vn(b)})",
            "$(rc{w.kind,$avp(x)})",
            "$(hdr(X-B){s.len}{w.kind})",
        ])
    }

    /// Text with variables in it.
    pub fn format(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.draw.below(4) {
            let piece = match self.draw.below(3) {
                0 => self.draw.one(&[" a", "-5", "-", "$$", " b ", "/abc"]),
                _ => self.variable(),
            };
            text.push_str(piece);
        }
        text
    }

    /// A call of a function or of a route.
    pub fn call(&mut self, depth: usize) -> String {
        match self.draw.below(20) {
            0 => "w_both()".to_owned(),
            1 => format!("w_note({})", self.argument(depth)),
            2..=4 => format!("w_code({})", self.number(depth)),
            5 => format!("w_code({})", self.draw.one(&["1", "-1", "5", "-7"])),
            6 => format!("w_both({})", self.number(depth)),
            7 => {
                let n = self.number(depth);
                format!("w_both({n}, {})", self.argument(depth))
            }
            8 => format!("w_value({})", self.argument(depth)),
            9 => {
                let target = self.target();
                let quote = self.draw.one(&["", "\""]);
                format!("w_extend({quote}{target}{quote}, {})", self.argument(depth))
            }
            10 => {
                let level = self.number(1);
                format!("w_say({level}, {})", self.argument(depth))
            }
            11 => self
                .draw
                .one(&["w_exit()", "w_drop()", "w_raw(\"$var(a)\")"])
                .to_owned(),
            12 => self
                .draw
                .one(&[
                    "w_arm(\"F\")",
                    "w_arm(\"$var(a)\")",
                    "w_arm($vn(a))",
                    "w_arm(\"$(var(c))\")",
                ])
                .to_owned(),
            13 => self
                .draw
                .one(&[
                    "w_pattern(\"^a\")",
                    "w_pattern(\"$var(a)\")",
                    "w_pattern($var(b)+\"x\")",
                ])
                .to_owned(),
            14 => self
                .draw
                .one(&[
                    "setflag(3)",
                    "resetflag(3)",
                    "isflagset(3)",
                    "isflagset(31)",
                    "setflag(31)",
                    "is_method(\"INVITE\")",
                    "is_method(\"BYE|ACK\")",
                    "has_totag()",
                    "is_method(\"REGISTER|INVITE\")",
                ])
                .to_owned(),
            15 => {
                let name = self.any_name(depth);
                format!("route({name})")
            }
            n => format!("route({})", ["A", "B", "3", "\"A\""][n - 16]),
        }
    }

    /// The name of a route that is computed.
    fn any_name(&mut self, depth: usize) -> String {
        match self.draw.below(3) {
            0 => "$var(c)".to_owned(),
            1 => self
                .draw
                .one(&["\"A\" + $vn(a)", "$vn(b) + \"B\"", "$var(a) + 1"])
                .to_owned(),
            _ => {
                let outer = std::mem::replace(&mut self.calls, false);
                let name = format!("$var(a) + {}", self.term(depth.min(1)));
                self.calls = outer;
                name
            }
        }
    }

    /// An argument that is a number.
    fn number(&mut self, depth: usize) -> String {
        match self.draw.below(6) {
            0 => self
                .draw
                .one(&["1", "\"5\"", "-1", "\"$var(a)\"", "\"1$var(b)\"", "0"])
                .to_owned(),
            _ => {
                let outer = std::mem::replace(&mut self.calls, false);
                let text = self.not_text(depth);
                self.calls = outer;
                text
            }
        }
    }

    /// An argument of a function.
    fn argument(&mut self, depth: usize) -> String {
        if self.draw.once_in(4) {
            return format!("\"{}\"", self.format());
        }
        let outer = std::mem::replace(&mut self.calls, false);
        let text = self.any(depth);
        self.calls = outer;
        text
    }
}
