//! The front end's entry: from the name of a file to its syntax tree.

use lalrpop_util::{ParseError, lalrpop_mod};

use super::ast::File;
use super::builder::Builder;
use super::load_time::LoadTime;
use super::recover::{Recovery, View};
use super::token::Tokens;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::preprocess::{Defines, preprocess_as};
use crate::release::Release;
use crate::source::{SourceLoader, SourceMap};

lalrpop_mod!(
    #[allow(clippy::all, missing_docs, unused_qualifications)]
    grammar,
    "/syntax/grammar.rs"
);

/// A configuration that was read, well or not.
#[derive(Debug)]
pub struct Parsed {
    /// The syntax tree. Where there were errors it has `Error` nodes.
    pub file: File,
    /// The texts that its spans point into.
    pub sources: SourceMap,
    /// The defines as they stand at the end, for `$def` and its kin.
    pub defines: Defines,
    /// What was found wrong.
    pub diagnostics: Diagnostics,
}

/// Reads the configuration that starts with the file `main`; `-` is standard input. `defines` are
/// those of the command line, in order (`-A NAME` or `-A NAME=VALUE`). The rules are those of the
/// newest release.
///
/// Never fails: everything wrong is in the diagnostics, many errors in one run, each once.
pub fn parse(
    loader: &dyn SourceLoader,
    main: &str,
    defines: &[(String, Option<String>)],
) -> Parsed {
    parse_as(Release::default(), loader, main, defines)
}

/// As [`parse`], by the rules of `release`.
pub fn parse_as(
    release: Release,
    loader: &dyn SourceLoader,
    main: &str,
    defines: &[(String, Option<String>)],
) -> Parsed {
    let read = preprocess_as(release, loader, main, defines);
    let mut diagnostics = read.diagnostics;
    let mut file = parse_tokens(&read.tokens, &read.sources, &mut diagnostics, read.stopped);
    let load_time = LoadTime {
        loader,
        sources: &read.sources,
        defines: &read.defines,
        release,
    };
    load_time.evaluate(&mut file, &mut diagnostics);
    Parsed {
        file,
        sources: read.sources,
        defines: read.defines,
        diagnostics,
    }
}

/// Tokens that all attempts of a parse may read together, beyond those of one pass. Each error
/// makes the file-level statement it is in be read once more.
const EXTRA_TOKENS: usize = 20_000_000;

/// Parses `tokens`. With `cut_short`, their end is not the end of the configuration, and nothing is
/// said about what is missing there.
fn parse_tokens(
    tokens: &Tokens,
    sources: &SourceMap,
    diagnostics: &mut Diagnostics,
    cut_short: bool,
) -> File {
    let parser = grammar::ItemsParser::new();
    let mut builder = Builder::new(tokens, sources, diagnostics);
    let mut recovery = Recovery::new(tokens, sources);
    let mut budget = EXTRA_TOKENS;
    loop {
        let start = builder.done as usize;
        let view = View::new(&tokens.list, recovery.patches(), start);
        let (at, expected) = match parser.parse(&mut builder, view) {
            Ok(()) => break,
            Err(ParseError::UnrecognizedToken { token, expected }) => (token.0 as usize, expected),
            Err(ParseError::UnrecognizedEof { expected, .. }) => (tokens.list.len(), expected),
            Err(_) => break,
        };
        builder.restart();
        if at >= tokens.list.len() && cut_short {
            break;
        }
        let start = builder.done as usize;
        let repair = recovery.repair(start, at, &expected);
        if let Some(diagnostic) = repair.diagnostic {
            builder.diagnostics.push(diagnostic);
        }
        if let Some(next) = repair.skip_to {
            builder.done = next as u32;
        }
        budget = budget.saturating_sub(at - start.min(at) + 1);
        if repair.stop || builder.diagnostics.is_full() {
            break;
        }
        if budget == 0 {
            let place = builder.token_span(at as u32);
            builder.diagnostics.push(
                Diagnostic::error("too-many-errors", "there are too many errors in one block")
                    .label(place, "reading stops here"),
            );
            break;
        }
    }
    builder.file
}
