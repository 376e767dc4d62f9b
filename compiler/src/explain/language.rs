//! The manual of the language's own words: blocks, statements, operators, directives and the
//! variables that no module declares (language reference §1 to §4, semantics reference §1 to §5).

/// What there is to say about a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// The word and what means the same.
    pub names: &'static [&'static str],
    /// How it is written.
    pub form: &'static str,
    /// What it does.
    pub text: &'static str,
}

/// The entry of `name`.
pub(super) fn word(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.names.contains(&name))
}

/// Every word that has an entry.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WORDS.iter().flat_map(|word| word.names.iter().copied())
}

const fn entry(names: &'static [&'static str], form: &'static str, text: &'static str) -> Word {
    Word { names, form, text }
}

static WORDS: &[Word] = &[
    entry(
        &["request_route"],
        "request_route { … }    block",
        "Runs for every request. Without it each request is logged as an error and dropped. Also\n\
         written `route { … }`. However it ends, nothing is sent unless something in it sent it.",
    ),
    entry(
        &["route"],
        "route[NAME] { … }    block\nroute(NAME);    statement",
        "A block that others call with `route(NAME)`; its code is what it returns, or the code of its\n\
         last statement. A constant name must exist. `route(\"x_\" + $var(n))` computes the name; where\n\
         there is no such block the code is -10 and the script goes on.",
    ),
    entry(
        &["reply_route"],
        "reply_route { … }    block",
        "Runs for every reply that is received, before its transaction sees it. Also written\n\
         `onreply_route { … }`. `drop`, or an end with a code of 0 or less, discards the reply.",
    ),
    entry(
        &["onreply_route"],
        "onreply_route[NAME] { … }    block",
        "Runs for the replies of a transaction that asked for it with `t_on_reply(\"NAME\")`. `drop`\n\
         discards a provisional reply; a final one goes on. Without a name it is `reply_route`.",
    ),
    entry(
        &["branch_route"],
        "branch_route[NAME] { … }    block",
        "Runs for each new branch of a transaction that asked for it with `t_on_branch(\"NAME\")`, just\n\
         before it is sent. `drop` keeps the branch from being sent.",
    ),
    entry(
        &["failure_route"],
        "failure_route[NAME] { … }    block",
        "Runs when all branches of a transaction that asked for it with `t_on_failure(\"NAME\")` failed\n\
         or timed out. It can reply, or set `$du` or `$ru` and `t_relay()` again; where it does neither\n\
         the winning reply is forwarded.",
    ),
    entry(
        &["onsend_route"],
        "onsend_route { … }    block",
        "Runs just before a request is sent. `drop` keeps it from being sent. What is sent is read with\n\
         `$snd(…)`, `snd_ip`, `to_ip`, `msg:len`.",
    ),
    entry(
        &["event_route"],
        "event_route[MODULE:EVENT] { … }    block",
        "Runs when the event happens, such as `event_route[tm:local-request]`.",
    ),
    entry(
        &["if", "else"],
        "if (CONDITION) … [else …]    statement",
        "The condition is read as an integer and holds where it is greater than 0: -1 is false, and so\n\
         is a string that is no number. A call holds where its code is greater than 0.",
    ),
    entry(
        &["while"],
        "while (CONDITION) …    statement",
        "Repeats while the condition, read as an integer, is greater than 0, at most `max_while_loops`\n\
         times.",
    ),
    entry(
        &["switch", "case", "default"],
        "switch (SELECTOR) { case LABEL: … break; default: … }    statement",
        "Goes to the label that equals the selector, else to `default`, and on through the following\n\
         labels until `break`. Labels are all integers, or strings and patterns: `case /^sip:/:` (case\n\
         counts).",
    ),
    entry(
        &["break"],
        "break;    statement",
        "Leaves the innermost `switch` or `while`; outside of them the route block, with code 0.",
    ),
    entry(
        &["return"],
        "return [CODE];    statement",
        "Leaves the route block; its caller gets the code, 1 by default. 0 ends the whole script, as\n\
         `exit` does.",
    ),
    entry(
        &["exit"],
        "exit [CODE];    statement",
        "Ends the script for this message, however deep the calls. It sends nothing by itself.",
    ),
    entry(
        &["drop"],
        "drop [CODE];    statement",
        "Ends the script for this message and marks it as dropped: a reply is discarded in\n\
         `reply_route`, a branch is not sent in `branch_route`. In `request_route` it is `exit`.",
    ),
    entry(
        &["+"],
        "LEFT + RIGHT    operator",
        "Adds where the left side is an integer or an integer is wanted, else puts the texts one after\n\
         the other: with `$var(s)=\"5\"`, `$var(s) + 1` is \"51\" and `($var(s) + 1) * 2` is 12.",
    ),
    entry(
        &["-", "*", "/", "mod", "&", "|", "^", "<<", ">>", "~"],
        "LEFT OPERATOR RIGHT    operator",
        "Arithmetic on integers, and on the bits of integers. A division by zero gives up the whole\n\
         expression: the assignment is skipped, the condition does not hold. Comparison binds tighter\n\
         than `&`, `^`, `|`, `<<` and `>>`.",
    ),
    entry(
        &["==", "!="],
        "LEFT == RIGHT    operator",
        "The left side decides: an integer compares integers, a string compares bytes, minding case.\n\
         `$avp(x) == $null` asks whether there is no value.",
    ),
    entry(
        &["<", ">", "<=", ">="],
        "LEFT < RIGHT    operator",
        "Compares integers. Texts are never compared in alphabetical order: what is no number is 0.",
    ),
    entry(
        &["eq", "ne"],
        "LEFT eq RIGHT    operator",
        "Compares both sides as strings, minding case.",
    ),
    entry(
        &["ieq", "ine"],
        "LEFT ieq RIGHT    operator",
        "Compares both sides as integers.",
    ),
    entry(
        &["=~"],
        "TEXT =~ PATTERN    operator",
        "Whether the pattern, a POSIX extended regular expression, matches somewhere in the text; case\n\
         does not count. There is no `\\d` or `\\w`: write `[0-9]`, `[[:alnum:]_]`.",
    ),
    entry(
        &["!", "not"],
        "! CONDITION    operator",
        "1 where the operand, read as an integer, is 0, else 0: `!` of -1 is 0. It binds tighter than\n\
         comparison: write `!($rm == \"INVITE\")`.",
    ),
    entry(
        &["&&", "and", "||", "or"],
        "LEFT && RIGHT    operator",
        "Operands are true where they are not 0; the right one is evaluated only where it decides. `and`\n\
         is `&&`, `or` is `||`.",
    ),
    entry(
        &["defined"],
        "defined VALUE    operator",
        "Whether the variable or select has a value (is not null).",
    ),
    entry(
        &["strlen", "strempty"],
        "strlen(TEXT)    operator",
        "`strlen` is the length in bytes, `strempty` 1 where that is 0.",
    ),
    entry(
        &["(int)", "(str)"],
        "(int) VALUE    operator",
        "Converts. Text is a number where all of it is digits with an optional sign, or `0x` with hex\n\
         digits; else it is 0.",
    ),
    entry(
        &["selval"],
        "selval(CONDITION, THEN, ELSE)    operator",
        "The second value where the first, an integer, is greater than 0, else the third. Assign it to\n\
         a variable: where an integer is wanted of it the expression fails, as in Kamailio.",
    ),
    entry(
        &["method"],
        "method == INVITE    test",
        "The request's method, in a reply that of the CSeq. Compared without regard to case.",
    ),
    entry(
        &["uri", "status", "from_uri", "to_uri"],
        "uri == myself    test",
        "`uri` is the Request-URI, `from_uri` and `to_uri` those of From and To; `uri` and `status` are\n\
         the code of a reply. Compared without regard to case, matched with `=~`, or with `myself`.",
    ),
    entry(
        &["src_ip", "dst_ip", "snd_ip", "to_ip"],
        "src_ip == 10.0.0.0/8    test",
        "Source and destination address of the message; compared with an address, a network or\n\
         `myself`. `snd_ip` and `to_ip` are those of the message being sent, in `onsend_route` only.",
    ),
    entry(
        &[
            "src_port", "dst_port", "snd_port", "to_port", "af", "snd_af", "to_af", "msg:len",
        ],
        "msg:len > 4096    test",
        "Compared as integers: ports, the address family (`inet`, `inet6`), the length of the message\n\
         in bytes (`max_len` is the greatest).",
    ),
    entry(
        &["proto", "snd_proto", "to_proto"],
        "proto == TCP    test",
        "The protocol that the message came by, as a word without quotes.",
    ),
    entry(
        &["myself"],
        "uri == myself    test",
        "True where the host and port belong to this server: a listen socket or an alias.",
    ),
    entry(
        &["loadmodule"],
        "loadmodule \"NAME.so\"",
        "Brings in a module: its functions, parameters, variables and transformations. Put it before\n\
         all that uses it.",
    ),
    entry(
        &["modparam"],
        "modparam(\"MODULE\", \"PARAMETER\", VALUE)",
        "Sets a parameter of a module that was loaded before. Several modules: `\"usrloc|registrar\"`.\n\
         `kcc explain MODULE` lists the parameters.",
    ),
    entry(
        &["listen"],
        "listen = [PROTOCOL:]ADDRESS[:PORT] [advertise ADDRESS[:PORT]] [name \"NAME\"]",
        "Receives and sends there; give it once for each socket. Without a protocol UDP and TCP are\n\
         meant, without a port 5060. Put `;` after it where no keyword follows.",
    ),
    entry(
        &["alias"],
        "alias = HOST[:PORT]",
        "A name under which this server is `myself`.",
    ),
    entry(
        &["flags", "bool"],
        "flags NAME[:BIT], …",
        "Gives message flags names, for `setflag(NAME)` and its like. Bits are 0 to 31, the lowest free\n\
         one by default.",
    ),
    entry(
        &["#!define", "#!def"],
        "#!define NAME [VALUE]",
        "Replaces the word NAME by VALUE in what follows, not inside strings. Defining it twice is an\n\
         error; see `#!trydef`, `#!redefine`. `-A NAME=VALUE` on the command line defines, too.",
    ),
    entry(
        &["#!trydef", "#!trydefine"],
        "#!trydef NAME [VALUE]",
        "Defines NAME where it is not defined.",
    ),
    entry(
        &["#!redefine", "#!redef"],
        "#!redefine NAME [VALUE]",
        "Defines NAME, or gives it another value.",
    ),
    entry(
        &["#!ifdef", "#!ifndef", "#!else", "#!endif"],
        "#!ifdef NAME … [#!else …] #!endif",
        "Takes the lines between where NAME is defined (`#!ifndef`: where it is not).",
    ),
    entry(
        &["#!ifexp"],
        "#!ifexp EXPRESSION … [#!else …] #!endif",
        "Takes the lines between where the expression, over defines, is true.",
    ),
    entry(
        &["#!subst", "#!substdef", "#!substdefs"],
        "#!substdef \"/SEARCH/REPLACEMENT/g\"",
        "Replaces text inside the strings and variables that follow; `substdef` defines the word, too,\n\
         `substdefs` with its value in quotes.",
    ),
    entry(
        &["#!defenv", "#!defenvs", "#!trydefenv", "#!trydefenvs"],
        "#!defenv [NAME=]VARIABLE",
        "Defines NAME as the value of an environment variable, with `s` in double quotes; with `try`\n\
         one that is not set is no error.",
    ),
    entry(
        &[
            "include_file",
            "import_file",
            "#!include_file",
            "#!import_file",
        ],
        "include_file \"FILE\"",
        "Reads FILE at this place: from the working directory, else from beside the including file.\n\
         `import_file` does not mind where there is none.",
    ),
    entry(
        &["$var", "$vz"],
        "$var(NAME)    variable, read and write",
        "A variable of the worker: it begins as 0 and keeps its value from message to message, so assign\n\
         it before it is read. For what belongs to a call use `$avp(NAME)`.",
    ),
    entry(
        &["$vn"],
        "$vn(NAME)    variable, read and write",
        "As `$var`, but it begins as null and can be null.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_one_entry() {
        let mut seen = std::collections::HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name}");
        }
    }
}
