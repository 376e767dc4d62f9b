//! Substitution expressions, `/search/replacement/flags`, on the message and the Request-URI:
//! `subst` and its like.

use std::ops::Range;

use kcc_macros::part;
use kcc_runtime::declare::{ConstantError, Parse, Parsed};
use kcc_runtime::pattern::subst::{Groups, Piece, Substitution};
use kcc_runtime::run::{Local, Run};
use kcc_sip::Uri;
use kcc_sip::uri::UriParts;

/// A substitution expression.
#[derive(Debug)]
pub struct Subst(Substitution);

impl Parse for Subst {
    const NAME: &'static str = "substitution";
    const WHAT: &'static str = "a substitution: /search/replacement/flags";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let subst = Substitution::parse(text).map_err(|error| ConstantError {
            offset: error.offset,
            message: error.message,
        })?;
        for piece in &subst.replacement {
            if let Piece::Variable { offset, .. } = piece {
                return Err(ConstantError {
                    offset: *offset,
                    message: "with a variable, write each other $ as $$".to_owned(),
                });
            }
        }
        Ok(Subst(subst))
    }
}

impl Subst {
    /// Appends what the replacement is for a match in `text`.
    fn expand(&self, text: &[u8], groups: &Groups, out: &mut Vec<u8>) {
        for piece in &self.0.replacement {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Group(n) => {
                    if let Some(Some(range)) = groups.get(usize::from(*n)) {
                        out.extend_from_slice(text.get(range.clone()).unwrap_or_default());
                    }
                }
                Piece::Variable { .. } => {}
            }
        }
    }

    /// Puts the result of the expression on `text` into `out`; false where nothing matches.
    fn apply(&self, text: &[u8], out: &mut Vec<u8>) -> Result<bool, String> {
        self.0
            .replace(text, out, |groups, out| self.expand(text, groups, out))
            .map(|count| count > 0)
            .map_err(|error| error.to_string())
    }
}

/// Does `with` the expression, constant or made at run time.
fn given<T>(
    subst: Parsed<'_, Subst>,
    with: impl FnOnce(&Subst) -> Result<T, String>,
) -> Result<T, String> {
    match subst {
        Parsed::Constant(subst) => with(subst),
        Parsed::Text(text) => with(&Subst::parse(text).map_err(|error| error.message)?),
    }
}

/// Edits what the expression matches in `range` of the message.
fn edit(run: &mut Run, subst: &Subst, range: Range<usize>) -> Result<bool, String> {
    let (message, edits) = run.edit();
    let text = message.bytes().get(range.clone()).unwrap_or_default();
    let mut full = Ok(());
    let mut scratch = Vec::new();
    let count = subst
        .0
        .replace(text, &mut scratch, |groups, _| {
            if let (Some(place), Ok(())) = (&groups[0], &full) {
                let place = range.start + place.start..range.start + place.end;
                full = edits.replace_with(place, |out| subst.expand(text, groups, out));
            }
        })
        .map_err(|error| error.to_string())?;
    full.map_err(|error| error.to_string())?;
    Ok(count > 0)
}

/// The buffer that a result is made in, kept for the next time.
#[derive(Default)]
struct Space(Vec<u8>);

impl Local for Space {
    fn reset(&mut self) {}
}

/// Puts the result of the expression on what `read` gives into `write`.
fn rewrite(
    run: &mut Run,
    subst: &Subst,
    read: impl FnOnce(&Run) -> Option<&[u8]>,
    write: impl FnOnce(&mut Run, &[u8]) -> Result<(), String>,
) -> Result<bool, String> {
    let mut space = std::mem::take(&mut run.locals.get::<Space>().0);
    space.clear();
    let changed = match read(run) {
        Some(text) => subst.apply(text, &mut space),
        None => Ok(false),
    };
    let result = match changed {
        Ok(true) => write(run, &space).map(|()| true),
        other => other,
    };
    run.locals.get::<Space>().0 = space;
    result
}

fn set_user(run: &mut Run, user: &[u8]) -> Result<(), String> {
    let mut text = Vec::new();
    let uri = Uri::parse(run.uri()).map_err(|error| error.to_string())?;
    let mut parts = UriParts::from(uri);
    parts.user = (!user.is_empty()).then_some(user);
    parts.write(&mut text);
    run.target.uri.set(&text);
    Ok(())
}

/// `subst` and its like.
#[part(module = "textops")]
pub mod exports {
    use super::{Subst, edit, given, rewrite, set_user};
    use crate::textops::headers::HeaderName;
    use kcc_runtime::declare::{Const, Parsed, Raw};
    use kcc_runtime::run::Run;

    /// Applies the substitution to the message, the first line left out. False where nothing
    /// matches. The parts of `/search/replacement/flags` are separated by its first character; in
    /// the replacement `\1` to `\9` are what the parentheses of the search matched. The flag `g`
    /// replaces all matches, `i` ignores the case of letters, `s` reads the text as one line.
    ///
    /// ```cfg
    /// subst('/^(User-Agent): .*$/\1: hidden/i');
    /// ```
    #[function(routes = "any")]
    fn subst(run: &mut Run, expression: Parsed<Subst>) -> Result<bool, String> {
        given(expression, |subst| {
            let range = run.message.headers_start()..run.message.bytes().len();
            edit(run, subst, range)
        })
    }

    /// Applies the substitution to the body. See `subst`.
    ///
    /// ```cfg
    /// subst_body('/^a=sendrecv/a=sendonly/g');
    /// ```
    #[function(routes = "any")]
    fn subst_body(run: &mut Run, expression: Parsed<Subst>) -> Result<bool, String> {
        given(expression, |subst| {
            let range = run.message.body_offset()..run.message.bytes().len();
            edit(run, subst, range)
        })
    }

    /// Applies the substitution to the Request-URI. See `subst`.
    ///
    /// ```cfg
    /// subst_uri('/^sip:([0-9]+)@(.*)$/sip:+\1@\2/');
    /// ```
    #[function(routes = "request|failure|onreply|branch")]
    fn subst_uri(run: &mut Run, expression: Parsed<Subst>) -> Result<bool, String> {
        given(expression, |subst| {
            rewrite(
                run,
                subst,
                |run| Some(run.uri()),
                |run, text| {
                    run.target.uri.set(text);
                    Ok(())
                },
            )
        })
    }

    /// Applies the substitution to the user part of the Request-URI. See `subst`.
    ///
    /// ```cfg
    /// subst_user('/^00/+/');
    /// ```
    #[function(routes = "request|failure|onreply|branch")]
    fn subst_user(run: &mut Run, expression: Parsed<Subst>) -> Result<bool, String> {
        given(expression, |subst| {
            rewrite(
                run,
                subst,
                |run| run.parsed_uri().map(|uri| uri.user_or_empty()),
                set_user,
            )
        })
    }

    /// Applies the substitution to the values of the header fields called `name`: to all (`which`
    /// is `a`), the first (`f`) or the last (`l`). False where nothing matches. See `subst`.
    ///
    /// ```cfg
    /// subst_hf("P-Asserted-Identity", '/sip:00/sip:+/', "a");
    /// ```
    #[function(routes = "any")]
    fn subst_hf(
        run: &mut Run,
        name: Const<HeaderName>,
        expression: Parsed<Subst>,
        which: Raw,
    ) -> Result<bool, String> {
        given(expression, |subst| {
            let mut ranges: Vec<_> = run
                .message
                .headers()
                .filter(|header| name.is(header))
                .filter_map(|header| run.message.offset_of(header.value))
                .collect();
            match which.0 {
                b"f" => ranges.truncate(1),
                b"l" => {
                    let last = ranges.len().saturating_sub(1);
                    ranges.drain(..last);
                }
                _ => {}
            }
            let mut changed = false;
            for range in ranges {
                changed |= edit(run, subst, range)?;
            }
            Ok(changed)
        })
    }
}
