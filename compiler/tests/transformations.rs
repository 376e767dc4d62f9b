//! Parameters and inputs of transformations, from the text of a configuration to the value: with the
//! modules of the server. The values are Kamailio 5.6's; of `val.*`, those of 6.x.

mod support;

use kcc::codegen::jit::Tools;
use kcc::compile::{self, Failure, Input};
use kcc::resolve::Options;
use support::{One, modules, run, show};

const SETUP: &str = "$var(c) = \"a,b c,a b\"; $var(p) = \"a=1;b=2;c\"; $var(q) = \"a=1,b=2\"; $var(i) = 1; $var(d) = \"1\"; \
    $var(a) = \"a\"; $avp(i:5) = \"five\"; $avp(5) = \"text five\"; $avp(s:k) = \"K\"; $var(n) = 5; \
    $var(m) = \"5\"; $var(k) = \"s:k\";";

fn value(expression: &str) -> String {
    let text = format!(
        "loadmodule \"pv.so\"\nloadmodule \"probe.so\"\n\
         request_route {{ {SETUP} $vn(r) = {expression}; L(\"$vn(r)\"); }}\n"
    );
    let own = |name: &str| {
        kcc_stdlib::MODULES
            .iter()
            .find(|module| module.name == name)
    };
    let probe = modules::ALL.iter().find(|module| module.name == "probe");
    let all: Vec<_> = [own("core"), own("pv"), probe]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let input = Input {
        loader: &One(text),
        main: "test.cfg",
        defines: &[],
        modules: &all,
        options: Options::default(),
    };
    match compile::jit(input, &Tools::default()) {
        Ok((program, _)) => run(program).lines.concat(),
        Err(Failure::Configuration(findings)) => show(&findings),
        Err(Failure::Codegen(failure, _)) => panic!("{failure}"),
    }
}

#[test]
fn parameters_and_inputs_are_read_as_kamailio_reads_them() {
    for (expression, expected) in [
        // Leading blanks of text are left out, others belong to it.
        ("$(var(c){s.replace,a, z})", "z,b c,z b"),
        ("$(var(c){s.replace,b,  x })", "a,x  c,a x "),
        ("$(var(c){s.before, })", "a,b c,a b"),
        ("$(var(p){param.value, b})", "2"),
        ("$(var(c){s.select,1, })", "c,a"),
        // A lone comma.
        ("$(var(c){s.count,,})", "2"),
        ("$(var(q){param.count,,})", "1"),
        ("$(var(c){s.before,,})", "a"),
        ("$(var(c){s.after,,})", "b c,a b"),
        ("$(var(c){s.select,1,,})", "b c"),
        // A number from a variable is an integer; digits are not.
        ("$(var(c){s.substr,$var(i),2})", ",b"),
        ("$(var(c){s.substr,$var(d),2})", "<null>"),
        ("$(var(c){s.substr,0,$var(d)})", "<null>"),
        ("$(var(c){s.substr,$(var(d){s.int}),2})", ",b"),
        ("$(var(c){s.strip,$var(d)})", "<null>"),
        ("$(var(c){s.select,$var(d),,})", "<null>"),
        ("$(var(c){s.prefixes,$avp(none)})", "<null>"),
        ("$(var(c){s.rm,$var(i)})", "a,b c,a b"),
        // A value stays what it is where the transformation takes any.
        ("$(var(i){val.n0}) + 1", "2"),
        ("$(var(d){val.n0}) + 1", "11"),
        ("$(avp(none){val.n0}) + 1", "1"),
        ("$(avp(none){val.ne}) + 1", "1"),
        ("$(avp(none){s.len}{val.ne})", ""),
        // The name of an AVP from a variable.
        ("$avp($var(n))", "five"),
        ("$avp($var(m))", "text five"),
        ("$avp($var(k))", "<null>"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}
