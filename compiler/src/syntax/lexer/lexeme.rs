//! What the lexer finds: tokens, directives, and things to remark on.

use crate::syntax::token::Kind;

/// What the lexer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lexeme {
    /// A token, complete but for the tables it may point into.
    Token(Kind, i32),
    /// An identifier, which may be a define.
    Id,
    /// One string literal; its span has the quotes.
    Str,
    /// `#!word`; the lexer stands behind the word.
    Directive(Directive),
    /// `include_file` or `import_file`; the lexer stands behind the word.
    Include(IncludeKind),
    /// A mode line, read to its end.
    Mode(Mode),
    /// Something to report; nothing was produced.
    Remark(Remark),
    /// The end of the text. A comment may still be open, see [`Lexer::open`].
    End,
}

/// How a file is brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncludeKind {
    /// `include_file`: it must exist.
    Include,
    /// `import_file`: it may be missing.
    Import,
}

/// How `$name` is read (language reference §2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A variable if there is one by that name, else an old-style attribute.
    #[default]
    MaxCompat,
    /// `#!KAMAILIO`: a variable.
    Kamailio,
    /// `#!SER`: an old-style attribute.
    Ser,
}

/// The preprocessor's directives (language reference §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// `define`, `def`
    Define,
    /// `trydefine`, `trydef`
    TryDefine,
    /// `redefine`, `redef`
    Redefine,
    /// `undefine`, `undef`
    Undefine,
    /// `tryundefine`, `tryundef`
    TryUndefine,
    /// `ifdef`
    IfDef,
    /// `ifndef`
    IfNotDef,
    /// `ifexp`
    IfExp,
    /// `else`
    Else,
    /// `endif`
    EndIf,
    /// `defexp`; with the value in quotes for `defexps`
    DefExp {
        /// The value gets double quotes.
        quoted: bool,
    },
    /// `defenv`, `defenvs`, `trydefenv`, `trydefenvs`
    DefEnv {
        /// The value gets double quotes.
        quoted: bool,
        /// Nothing happens if the variable is unset.
        optional: bool,
    },
    /// `subst`
    Subst,
    /// `substdef`, `substdefs`
    SubstDef {
        /// The value gets double quotes.
        quoted: bool,
    },
}

/// All directives by word.
pub const DIRECTIVES: [(&str, Directive); 24] = {
    use Directive::*;
    [
        ("define", Define),
        ("def", Define),
        ("trydefine", TryDefine),
        ("trydef", TryDefine),
        ("redefine", Redefine),
        ("redef", Redefine),
        ("undefine", Undefine),
        ("undef", Undefine),
        ("tryundefine", TryUndefine),
        ("tryundef", TryUndefine),
        ("ifdef", IfDef),
        ("ifndef", IfNotDef),
        ("ifexp", IfExp),
        ("else", Else),
        ("endif", EndIf),
        ("defexp", DefExp { quoted: false }),
        ("defexps", DefExp { quoted: true }),
        (
            "defenv",
            DefEnv {
                quoted: false,
                optional: false,
            },
        ),
        (
            "defenvs",
            DefEnv {
                quoted: true,
                optional: false,
            },
        ),
        (
            "trydefenv",
            DefEnv {
                quoted: false,
                optional: true,
            },
        ),
        (
            "trydefenvs",
            DefEnv {
                quoted: true,
                optional: true,
            },
        ),
        ("subst", Subst),
        ("substdef", SubstDef { quoted: false }),
        ("substdefs", SubstDef { quoted: true }),
    ]
};

/// Findings of the lexer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Characters that start no token; Kamailio drops them without a word.
    Dropped,
    /// A number that does not fit 32 bits.
    NumberCut,
    /// `#!word` with an unknown word, which makes it a comment.
    UnknownDirective,
    /// `#!else` or `#!endif` with text behind it, or at the end of the file without a line feed.
    IgnoredDirective,
    /// A mode line with text behind it.
    IgnoredMode,
    /// A string without its closing quote.
    UnterminatedString,
    /// A variable without its closing parenthesis.
    UnterminatedVariable,
    /// A select that is cut short.
    BadSelect,
}

/// A comment that has not ended with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// To the end of the line.
    Line,
    /// `/*` this many times.
    Block(u32),
}
