use super::*;
use crate::source::MemoryLoader;

/// The tokens as text, and the codes of the findings after `!`.
fn read_with(loader: &MemoryLoader, defines: &[(&str, Option<&str>)]) -> String {
    let defines: Vec<(String, Option<String>)> = defines
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
        .collect();
    let read = preprocess(loader, "main.cfg", &defines);
    let mut words: Vec<String> = Vec::new();
    for token in &read.tokens.list {
        words.push(match token.kind {
            Kind::Str => {
                let value = &read.tokens.strings[token.value as usize].value;
                format!("<{}>", value.escape_ascii())
            }
            Kind::Variable => {
                let changed = &read.tokens.variables[token.value as usize].changed;
                let text = changed.as_deref().unwrap_or(read.sources.text(token.span));
                String::from_utf8_lossy(text).into_owned()
            }
            _ => String::from_utf8_lossy(read.sources.text(token.span)).into_owned(),
        });
    }
    words.extend(
        read.diagnostics
            .iter()
            .map(|each| format!("!{}", each.code)),
    );
    words.join(" ")
}

fn read(text: &str) -> String {
    read_with(&MemoryLoader::with("main.cfg", text), &[])
}

#[test]
fn a_value_goes_to_the_end_of_its_line_and_is_read_again() {
    assert_eq!(read("#!define A 1+2\na*A;"), "a * 1 + 2 ;");
    assert_eq!(read("#!define C 7\n#!define B C\nB"), "7");
    assert_eq!(read("#!define A 5 \\\n+ 6\nA"), "5 + 6");
    assert_eq!(read("#!define LG xlog\nLG(1)"), "xlog ( 1 )");
    assert_eq!(read("#!define E\nx E y"), "x y");
    assert_eq!(read("#!define if 8\nif"), "if");
    assert_eq!(read("#!define A 7\n\"A\" $A A1"), "<A> $A A1");
    assert_eq!(read("x\n#!define A 5"), "x !lost-value");
}

#[test]
fn a_comment_in_a_value_hides_the_rest_of_the_line_that_uses_it() {
    assert_eq!(read("#!define A 5 # five\nx A hidden ;\ny"), "x 5 y");
    assert_eq!(read("#!define A 5 /*\nx A hidden */ y"), "x 5 y");
}

#[test]
fn strings_merge_when_only_blanks_are_between() {
    assert_eq!(read("\"a\" \n \"b\""), "<ab>");
    assert_eq!(read("'a' 'b'"), "<a> <b>");
    assert_eq!(read("\"a\" /* x */ \"b\""), "<a> <b>");
    assert_eq!(read("\"a\"\n#!ifdef X\n\"x\"\n#!endif\n\"b\""), "<a> <b>");
    assert_eq!(read("#!define S \"a\"\nS \"b\""), "<ab>");
    assert_eq!(read("#!define S \"a\"\n\"b\" S"), "<b> <a>");
}

#[test]
fn defining_again() {
    assert_eq!(read("#!define A 1\n#!define A 1\nA"), "1 !already-defined");
    assert_eq!(
        read("#!define A 1\n#!trydef A 2\n#!redefine C 4\n#!redef C 5\n!!def B 3\nA B C"),
        "1 3 5"
    );
    assert_eq!(read("#!define A 1\n#!undef A\nA"), "A");
    assert_eq!(read("#!define A A\nA"), "A !define-cycle");
    assert_eq!(read("#!define A x A\nA y"), "x A y !define-cycle");
}

#[test]
fn conditionals() {
    let text = "#!ifdef W # comment\na\n#!else\nb\n#!endif\nc\n";
    assert_eq!(read(text), "b c");
    assert_eq!(read(&format!("#!define W\n{text}")), "a c");
    assert_eq!(
        read("#!ifdef N\n\" # x #!endif\ny"),
        "y",
        "strings and comments are not looked at"
    );
    assert_eq!(
        read("#!ifdef N\n#!ifdef M\n#!else\n#!endif\na\n#!else\nb\n#!endif\n"),
        "b"
    );
    assert_eq!(
        read("#!ifdef N\n#!endif # N\nx\n#!endif\ny"),
        "y",
        "text after the word makes it a comment"
    );
    assert_eq!(read("a #!ifdef N\nb\n#!endif\nc"), "a c");
    assert_eq!(read("#! ifdef N\na"), "a");
    assert_eq!(read("#!ifexp 1 + 1 == 2\na\n#!endif\n"), "a");
    assert_eq!(read("#!ifdef N\n#!endif"), "!unclosed-conditional");
}

#[test]
fn substitutions_change_strings_and_variables_only() {
    assert_eq!(
        read("#!subst \"/HOST/h1/\";\n\"[HOST] HOST\" HOST"),
        "; <[h1] HOST> HOST"
    );
    assert_eq!(
        read("#!subst \"/vx/vy/g\"\n$var(vx) \"vxvx\" vx"),
        "$var(vy) <vyvy> vx"
    );
    assert_eq!(
        read("#!subst \"/a/b/\"\n#!subst \"/b/c/\";\n\"a\""),
        "; <c>"
    );
    assert_eq!(
        read("#!substdef \"!PNO!15555!g\"\nPNO \"[PNO]\""),
        "15555 <[15555]>"
    );
    assert_eq!(
        read("#!substdefs \"!HV!h.com!g\"\nHV , \"[HV]\""),
        "<h.com> , <[h.com]>"
    );
    assert_eq!(
        read("#!subst \"/^(.)(.)$/\\2\\1/\";\n\"ab\" , \"abc\""),
        "; <ba> , <abc>"
    );
}

#[test]
fn environment_and_command_line() {
    let text = "#!defenv KTV\n#!defenv EX=KTV\n#!defenvs QQ=KTV\n#!trydefenv NO\nKTV EX QQ NO";
    let mut loader = MemoryLoader::with("main.cfg", text);
    loader.variables.insert("KTV".to_owned(), b"77".to_vec());
    assert_eq!(read_with(&loader, &[]), "77 77 <77> NO");
    let loader = MemoryLoader::with("main.cfg", "#!trydef AA 6\nAA BB CC DD");
    let given = [("AA", Some("5")), ("BB", Some("a b")), ("CC", None)];
    assert_eq!(read_with(&loader, &given), "5 a b DD");
}

#[test]
fn predefined_names() {
    let known = |name: &str| {
        read(&format!(
            "loadmodule \"a/xlog.so\"\n#!ifdef {name}\nyes\n#!endif\n"
        ))
    };
    for name in ["KAMAILIO_6", "KAMAILIO_6_1", "KAMAILIO_VERSION", "MOD_xlog"] {
        assert_eq!(known(name), "loadmodule <a/xlog.so> yes", "{name}");
    }
    assert_eq!(known("MOD_tm"), "loadmodule <a/xlog.so>");
}

#[test]
fn files_are_looked_up_as_given_and_beside_the_one_that_includes() {
    let loader = MemoryLoader::with("main.cfg", "include_file \"dir/a.cfg\"\nlast")
        .and(
            "dir/a.cfg",
            "first\ninclude_file \"b.cfg\" # comment\n#!import_file \"none\"\n",
        )
        .and("dir/b.cfg", "second\n");
    assert_eq!(read_with(&loader, &[]), "first second last");
    let loader = MemoryLoader::with("main.cfg", "include_file \"a.cfg\";\nx").and("a.cfg", "y");
    assert_eq!(read_with(&loader, &[]), "x !bad-include");
}

#[test]
fn a_list_of_sockets_ends_at_a_keyword() {
    let ends = |text: &str| {
        let loader = MemoryLoader::with("main.cfg", text);
        let read = preprocess(&loader, "main.cfg", &[]);
        let kinds = read.tokens.list.iter().map(|token| token.kind);
        kinds.take_while(|kind| *kind != Kind::EndList).count()
    };
    assert_eq!(ends("alias=a b:5\nchildren=4"), 6);
    assert_eq!(ends("listen=udp:1.2.3.4:5060 advertise x"), 7);
    assert_eq!(ends("alias=a\n#!subst \"/a/b/\"\nb.c=1"), 3);
    assert_eq!(ends("alias=a\nb.c=1"), 6);
}

#[test]
fn tokens_know_the_expansions_they_came_through() {
    let loader = MemoryLoader::with("main.cfg", "#!define A B\n#!define B 5\n\nA");
    let read = preprocess(&loader, "main.cfg", &[]);
    let span = read.tokens.list[0].span;
    let names: Vec<&str> = read
        .sources
        .expansions(span)
        .map(|each| &*each.name)
        .collect();
    assert_eq!(names, ["B", "A"]);
    let place = read
        .sources
        .place(span)
        .map(|place| (place.line, place.column));
    assert_eq!(place, Some((4, 1)));
    let place = read.sources.literal_place(span).map(|place| place.line);
    assert_eq!(place, Some(2));
}

#[test]
fn a_release_has_its_own_names_and_limits() {
    use crate::release::Release;
    let read = |release, text: &str| {
        let loader = MemoryLoader::with("main.cfg", text);
        let read = preprocess_as(release, &loader, "main.cfg", &[]);
        (read.tokens.list.len(), read.diagnostics.has_errors())
    };
    let yes = |name: &str| {
        let text = format!("#!ifdef {name}\nyes\n#!endif\n");
        Release::ALL.map(|release| read(release, &text).0 == 1)
    };
    assert_eq!(yes("KAMAILIO_4_2_8"), [false, false, false]);
    assert_eq!(yes("KAMAILIO_5"), [false, true, false]);
    assert_eq!(yes("KAMAILIO_5_6_6"), [false, true, false]);
    assert_eq!(yes("KAMAILIO_6_1_4"), [false, false, true]);
    assert_eq!(yes("KAMAILIO_VERSION"), [false, false, true]);
    assert_eq!(yes("OS_NAME"), [false, false, true]);
    let nested = |n: usize| {
        let text = "#!ifndef X\n".repeat(n) + &"#!endif\n".repeat(n);
        Release::ALL.map(|release| !read(release, &text).1)
    };
    assert_eq!(nested(256), [true, true, true]);
    assert_eq!(nested(257), [false, true, true]);
    assert_eq!(nested(513), [false, false, false]);
    let many: String = (0..600)
        .map(|n| format!("#!define NAME_{n} {n}\n"))
        .collect();
    assert!(
        Release::ALL
            .into_iter()
            .all(|release| !read(release, &many).1)
    );
}

#[test]
fn else_without_and_after_else() {
    assert_eq!(
        read("#!define A\n#!ifdef A\n1\n#!else\n2\n#!else\n3\n#!endif\n"),
        "1 3 !stray-else"
    );
    assert_eq!(
        read("#!ifdef A\n1\n#!else\n2\n#!else\n3\n#!endif\n4"),
        "2 4 !stray-else"
    );
    assert_eq!(read("#!else\nx"), "x !stray-else");
}

#[test]
fn the_string_of_a_rule_is_a_token_like_any_other() {
    assert_eq!(read("#!subst\n# c\n\"/a/b/\";\n\"a\""), "; <b>");
    assert_eq!(read("#!define R \"/a/b/\"\n#!subst R;\n\"a\""), "; <b>");
    assert_eq!(read("#!subst'/a/b/'\n\"a\""), "<b>");
    assert_eq!(read("#!substy x\nz"), "z !bad-directive");
    assert_eq!(read("#!subst /a/b/\nz"), "z !bad-directive");
    assert_eq!(read("#!subst \"1a1b1\";\n\"a\""), "; <b>");
    assert_eq!(read("#!subst \"/x*/b/\";\n\"axx\""), "; <axx>");
    assert_eq!(read("#!subst \"//b/\";\n\"a\""), "; <a>");
    assert_eq!(
        read("#!substdef \"//b/\";\n\"a\""),
        "; <a> !bad-substitution"
    );
}

#[test]
fn a_bad_rule_is_shown_where_it_is_bad() {
    for (text, place) in [
        ("#!subst \"/a(b/c/\"\n", "("),
        ("#!subst \"/a\\/\\x41(b/c/\"\n", "(b"),
        ("#!subst \"/a\" \"b[/c/\"\n", "["),
        ("#!subst \"/ab/c/q\"\n", "q\""),
        ("#!subst \"/ab/$var(x)y/\"\n", "$var(x)y"),
        ("#!subst \"/ab/c\"\n", "c\""),
    ] {
        let read = preprocess(&MemoryLoader::with("main.cfg", text), "main.cfg", &[]);
        let found = read.diagnostics.iter().next().expect(text);
        let start = found.labels[0].span.start as usize;
        assert_eq!(found.code, "bad-substitution", "{text}");
        assert_eq!(Some(start), text.find(place), "{text}");
    }
}

#[test]
fn code_may_follow_defenv() {
    let mut loader = MemoryLoader::with("main.cfg", "#!defenv A x\n#!defenv B=A # y\nA B");
    loader.variables.insert("A".to_owned(), b"7".to_vec());
    assert_eq!(read_with(&loader, &[]), "x 7 7");
}
