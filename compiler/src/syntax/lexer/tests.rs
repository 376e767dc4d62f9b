use super::*;

fn lexemes(text: &str) -> String {
    let bytes: Arc<[u8]> = text.as_bytes().into();
    let part = Span::new(0, bytes.len() as u32);
    let mut lexer = Lexer::new(bytes, 0, part, ExpansionId::NONE);
    let mut out = Vec::new();
    loop {
        let (lexeme, span) = lexer.next(Mode::MaxCompat);
        let shown = &text[span.start as usize..span.end as usize];
        out.push(match lexeme {
            Lexeme::End => return out.join(" "),
            Lexeme::Token(kind, 0) => format!("{kind:?}`{shown}`"),
            Lexeme::Token(kind, value) => format!("{kind:?}({value})`{shown}`"),
            Lexeme::Remark(remark) => format!("{remark:?}`{shown}`"),
            other => format!("{other:?}`{shown}`"),
        });
    }
}

#[test]
fn words_and_numbers() {
    assert_eq!(
        lexemes("foo IF if children yes 0x1F 5k inet6"),
        "Id`foo` Id`IF` If`if` Word`children` Number(1)`yes` Number(31)`0x1F` NumId`5k` Number(10)`inet6`"
    );
    assert_eq!(lexemes("domain = x"), "Alias`domain` Assign`=` Id`x`");
    assert_eq!(lexemes("domain == x"), "Id`domain` EqOp(7)`==` Id`x`");
    assert_eq!(
        lexemes("msg:len uri:port"),
        "Subject(19)`msg:len` UriPart(1)`uri:port`"
    );
}

#[test]
fn addresses() {
    assert_eq!(
        lexemes("10.0.0.1 10.0.0"),
        "Ip`10.0.0.1` Number(10)`10` Dot`.` Number`0` Dot`.` Number`0`"
    );
    assert_eq!(
        lexemes("[::1]:5060"),
        "Ip`[::1]` Colon`:` Number(5060)`5060`"
    );
    assert_eq!(
        lexemes("10.0.0.0/8 ::1/255.0.0.0 1.2.3.4/x"),
        "Ip`10.0.0.0/8` Ip`::1/255.0.0.0` Ip`1.2.3.4` Slash`/` Id`x`"
    );
    assert_eq!(lexemes("udp:fe80::1"), "Protocol`udp` Colon`:` Ip`fe80::1`");
    assert_eq!(
        lexemes("case 1: default:"),
        "Case`case` Number(1)`1` Colon`:` Default`default` Colon`:`"
    );
}

#[test]
fn sigils() {
    assert_eq!(
        lexemes("$rU $(var(x)[1]) $var(a(b)c)"),
        "Variable`$rU` Variable`$(var(x)[1])` Variable`$var(a(b)c)`"
    );
    assert_eq!(
        lexemes("$rcv(x)"),
        "Variable`$rc` Id`v` ParenOpen`(` Id`x` ParenClose`)`"
    );
    assert_eq!(lexemes("$ruri.user"), "Variable`$ruri` Dot`.` Word`user`");
    assert_eq!(
        lexemes("$foo[1]"),
        "Attribute`$foo` BracketOpen`[` Number(1)`1` BracketClose`]`"
    );
    assert_eq!(lexemes("$f.x %t.y"), "Attribute`$f.x` Attribute`%t.y`");
    assert_eq!(
        lexemes("@msg.header[\"a]b\"].x[-1];"),
        "Select`@msg.header[\"a]b\"].x[-1]` Semicolon`;`"
    );
    assert_eq!(lexemes("$(a\n)"), "UnterminatedVariable`$(a` ParenClose`)`");
}

#[test]
fn comments_and_directives() {
    assert_eq!(
        lexemes("a /* b /* c */ d */ e // f\n# g\nh"),
        "Id`a` Id`e` Id`h`"
    );
    assert_eq!(
        lexemes("a #!ifdef X"),
        "Id`a` Directive(IfDef)`#!ifdef` Id`X`"
    );
    assert_eq!(lexemes("#! ifdef\n!!define"), "Directive(Define)`!!define`");
    assert_eq!(lexemes("!!a"), "UnOp`!` UnOp`!` Id`a`");
    assert_eq!(lexemes("#!endif x\n"), "IgnoredDirective`#!endif x`");
    assert_eq!(lexemes("#!endif \n"), "Directive(EndIf)`#!endif `");
    assert_eq!(lexemes("#!KAMAILIO\nx"), "Mode(Kamailio)`#!KAMAILIO` Id`x`");
    assert_eq!(lexemes("#!KAMAILIO \nx"), "IgnoredMode`#!KAMAILIO ` Id`x`");
    assert_eq!(lexemes("a ?\u{e9} b"), "Id`a` Dropped`?\u{e9}` Id`b`");
}

#[test]
fn event_route_names_drop_what_is_no_name() {
    assert_eq!(
        lexemes("event_route[\"htable:mod-init\"] { a"),
        "EventRoute`event_route` BracketOpen`[` EventName`htable:mod-init` BracketClose`]` BraceOpen`{` Id`a`"
    );
    assert_eq!(
        lexemes("event_route[a_b:c]"),
        "EventRoute`event_route` BracketOpen`[` Dropped`a_` EventName`b:c` BracketClose`]`"
    );
}
