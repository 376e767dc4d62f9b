//! `@hf_value` and its like: header fields as lists of values, over all header fields of a name.

use std::io::Write;

use kcc_runtime::declare::ConstantError;
use kcc_runtime::run::Run;
use kcc_runtime::select::address::{AnyPart, any_part};
use kcc_runtime::select::message::Named;
use kcc_runtime::select::{Path, Steps};
use kcc_runtime::value::Val;
use kcc_sip::NameAddr;
use kcc_sip::token::{list, unquote};

/// What is looked at of a value.
#[derive(Debug)]
enum Part {
    /// The value, or with `nameaddr` and `params` a part of it.
    Any(AnyPart),
    /// `uri`
    Uri,
    /// `name`
    Name,
    /// `param.x`
    Param(Box<[u8]>),
}

/// `name[n]` and a part of the value.
#[derive(Debug)]
pub struct ValuePath {
    name: Named,
    /// From 1; negative from the end; none is all of them.
    place: Option<i64>,
    part: Part,
}

/// The name of a header in a path.
fn named(steps: &mut Steps<'_>) -> Result<Named, ConstantError> {
    steps.name().map(Named::new)
}

impl Path for ValuePath {
    const NAME: &'static str = "select-hf-value";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let name = named(steps)?;
        let place = steps.index()?;
        let mut ahead = *steps;
        let part = match ahead.step()? {
            Some(step) if step.is("uri") => Part::Uri,
            Some(step) if step.is("name") => Part::Name,
            Some(step) if step.is("param") || step.is("p") => {
                Part::Param(kcc_runtime::select::dashed(ahead.name()?))
            }
            _ => {
                let part = Part::Any(AnyPart::read(steps)?);
                return Ok(ValuePath { name, place, part });
            }
        };
        *steps = ahead;
        Ok(ValuePath { name, place, part })
    }
}

/// `name.value`
#[derive(Debug)]
pub struct ExistsPath {
    name: Named,
    value: Box<[u8]>,
}

impl Path for ExistsPath {
    const NAME: &'static str = "select-hf-value-exists";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let name = named(steps)?;
        let value = steps.name()?.into();
        Ok(ExistsPath { name, value })
    }
}

/// `name[n]`, and with `params.x` a parameter of it.
#[derive(Debug)]
pub struct FieldPath {
    name: Named,
    place: i64,
    part: AnyPart,
}

impl Path for FieldPath {
    const NAME: &'static str = "select-hf-value2";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let name = named(steps)?;
        let place = steps.index()?.unwrap_or(1);
        let part = AnyPart::read(steps)?;
        if matches!(part, AnyPart::NameAddr(_)) {
            return Err(steps.unknown());
        }
        Ok(FieldPath { name, place, part })
    }
}

/// The URI of a value, without brackets.
fn uri(value: &[u8]) -> &[u8] {
    NameAddr::parse(value).map_or(&[], |address| address.uri)
}

/// Values of texts that are joined by commas.
fn joined<'m, I: Iterator<Item = &'m [u8]>>(
    scratch: &mut kcc_runtime::arena::Arena,
    texts: impl Fn() -> I,
) -> Option<Val> {
    let mut all = texts();
    let Some(first) = all.next() else {
        return Some(Val::str(b""));
    };
    if all.next().is_none() {
        return Some(Val::str(first));
    }
    let room: usize = texts().map(|text| text.len() + 1).sum();
    let space = scratch.alloc(room)?;
    let mut rest = &mut space[..];
    for (n, text) in texts().enumerate() {
        if n > 0 {
            rest.write_all(b",").ok()?;
        }
        rest.write_all(text).ok()?;
    }
    let len = room - rest.len();
    space.get(..len).map(Val::str)
}

fn value(run: &mut Run, path: &ValuePath) -> Option<Val> {
    let message = &run.message;
    let all = || path.name.values(message).flat_map(list);
    if path.place.is_none() {
        match path.part {
            Part::Any(AnyPart::Whole) => return joined(&mut run.scratch, all),
            Part::Uri => return joined(&mut run.scratch, || all().map(uri)),
            _ => {}
        }
    }
    let place = match path.place.unwrap_or(1) {
        n if n < 0 => usize::try_from(n.checked_add(i64::try_from(all().count()).ok()?)?).ok(),
        n => usize::try_from(n.max(1) - 1).ok(),
    };
    let Some(value) = place.and_then(|place| all().nth(place)) else {
        return Some(Val::str(b""));
    };
    let address = || NameAddr::parse(value).ok();
    let text = match &path.part {
        Part::Any(part) => return any_part(value, part)?.value(&mut run.scratch, false),
        Part::Uri => uri(value),
        Part::Name => address().map_or(&[][..], |address| unquote(address.display)),
        Part::Param(name) => address()
            .and_then(|address| address.params.get(name))
            .unwrap_or_default(),
    };
    Some(Val::str(text))
}

/// Selects of values of header fields.
#[kcc_macros::part(module = "textopsx")]
pub mod exports {
    use super::{ExistsPath, FieldPath, ValuePath, list, value};
    use kcc_runtime::declare::Const;
    use kcc_runtime::run::Run;
    use kcc_runtime::select::Below;
    use kcc_runtime::select::address::any_part;
    use kcc_runtime::value::Val;

    /// Values of a header whose fields are lists: `@hf_value.x_list` all of them joined by `,`,
    /// `@hf_value.x_list[2]` the second over all header fields of the name, negative from the end.
    ///
    /// Of a value: `uri`, `name` without quotes, `param.x` (or `p.x`); `nameaddr` and `params.x` as
    /// of `@msg.header`. Empty where there is none. `_` in names stands for `-`.
    ///
    /// ```cfg
    /// if (@hf_value.p_asserted_identity[1].uri =~ "^tel:") exit;
    /// ```
    #[pv(name = "@hf_value")]
    fn hf_value(run: &mut Run, path: Const<Below<ValuePath>>) -> Option<Val> {
        value(run, &path.0)
    }

    /// `1` where one of the values of a header is this one, in any case, else `0`:
    /// `@hf_value_exists.supported["100rel"]`.
    #[pv(name = "@hf_value_exists")]
    fn hf_value_exists(run: &mut Run, path: Const<Below<ExistsPath>>) -> &'static str {
        let path = &path.0;
        let mut all = path.name.values(&run.message).flat_map(list);
        match all.any(|value| value.eq_ignore_ascii_case(&path.value)) {
            true => "1",
            false => "0",
        }
    }

    /// A header field whose value is not a list: the first of the name, or `[n]`; `params.x` a
    /// parameter of it. Empty where there is none.
    #[pv(name = "@hf_value2")]
    fn hf_value2(run: &mut Run, path: Const<Below<FieldPath>>) -> Option<Val> {
        let path = &path.0;
        let mut all = path.name.values(&run.message);
        let value = match usize::try_from(path.place) {
            Ok(place) => all.nth(place.max(1) - 1),
            Err(_) => {
                let back = usize::try_from(path.place.unsigned_abs()).ok()?;
                all.nth_back(back - 1)
            }
        };
        let value = value.unwrap_or_default();
        any_part(value, &path.part)?.value(&mut run.scratch, false)
    }
}
