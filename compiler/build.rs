//! Generates the parser from `src/syntax/grammar.lalrpop`.

fn main() {
    println!("cargo:rerun-if-changed=src/syntax/grammar.lalrpop");
    let generated = lalrpop::Configuration::new().set_in_dir("src").process();
    if let Err(error) = generated {
        eprintln!("src/syntax/grammar.lalrpop: {error}");
        std::process::exit(1);
    }
}
