//! `$xavp`, `$xavi` and `$xavu`: values with names that hold lists of named values, and `$cnt`
//! (language reference, semantics §10).

use std::ops::Range;

use super::avp::join;
use crate::declare::{ConstantError, Hole, Holes, Parse};
use crate::run::{AvpName, End, Id, Item, Run, Space, TooMany, Xavps};
use crate::value::{Val, Value};
use crate::variables::written;

/// Which value of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// None is said.
    Absent,
    /// `[n]`: from the newest, negative from the oldest.
    At(i64),
    /// `[*]`.
    All,
    /// What a variable says: its place among the path's.
    Computed(usize),
}

/// A name with the index after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    name: Box<[u8]>,
    place: Place,
}

/// `root[i]=>field[j]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    root: Step,
    field: Option<Step>,
}

/// Where the index in the text of a step stands: after `[`, up to the `]` that closes it.
fn index_in(text: &[u8]) -> Option<Range<usize>> {
    let open = memchr::memchr(b'[', text)?;
    let mut depth = 0usize;
    for (n, byte) in text.iter().enumerate().skip(open + 1) {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b']' if depth == 0 => return Some(open + 1..n),
            _ => {}
        }
    }
    None
}

/// Where the two steps of a path stand in its text.
fn steps(text: &[u8]) -> [Option<Range<usize>>; 2] {
    let mut from = 0;
    if let Some(index) = index_in(text)
        && memchr::memmem::find(&text[..index.start], b"=>").is_none()
    {
        from = index.end;
    }
    match memchr::memmem::find(&text[from..], b"=>") {
        Some(arrow) => [Some(0..from + arrow), Some(from + arrow + 2..text.len())],
        None => [Some(0..text.len()), None],
    }
}

/// The variables in the indices of a path.
fn find_holes(text: &[u8]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    for (n, step) in steps(text).into_iter().enumerate() {
        let Some(step) = step else { continue };
        let Some(index) = index_in(&text[step.clone()]) else {
            continue;
        };
        let range = step.start + index.start..step.start + index.end;
        if text[range.clone()].starts_with(b"$") {
            found.push((n, range));
        }
    }
    found
}

fn step(text: &[u8], range: Range<usize>, number: usize) -> Result<Step, ConstantError> {
    let error = |offset: usize, message: &str| ConstantError {
        offset: range.start + offset,
        message: message.to_owned(),
    };
    let own = &text[range.clone()];
    let open = memchr::memchr(b'[', own);
    let (name, place) = match (open, index_in(own)) {
        (None, _) => (own, Place::Absent),
        (Some(open), None) => return Err(error(open, "this index is not closed")),
        (Some(open), Some(index)) => {
            if let Some(rest) = own.get(index.end + 1..)
                && !rest.trim_ascii().is_empty()
            {
                return Err(error(index.end + 1, "`=>` or the end is expected here"));
            }
            let place = match &own[index.clone()] {
                b"*" => Place::All,
                [b'$', ..] => Place::Computed(number),
                digits => std::str::from_utf8(digits)
                    .ok()
                    .filter(|digits| !digits.starts_with('+'))
                    .and_then(|digits| digits.parse().ok())
                    .map(Place::At)
                    .ok_or_else(|| {
                        error(index.start, "an index is a number, `*` or one variable")
                    })?,
            };
            (&own[..open], place)
        }
    };
    let name = name.trim_ascii();
    if name.is_empty() {
        return Err(error(0, "a name is expected here"));
    }
    Ok(Step {
        name: name.into(),
        place,
    })
}

impl Parse for Path {
    const NAME: &'static str = "xavp";
    const WHAT: &'static str = "a path: root[index]=>field[index]";
    const HOLES: Option<Holes> = Some(Holes {
        count: 2,
        find: find_holes,
    });

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let [root, field] = steps(text);
        let root = step(text, root.unwrap_or_default(), 0)?;
        if field.is_none()
            && let Some(sign) = memchr::memchr(b'=', &root.name)
        {
            return Err(ConstantError {
                offset: sign,
                message: "a field is written root=>field".into(),
            });
        }
        let field = field.map(|range| step(text, range, 1)).transpose()?;
        Ok(Path { root, field })
    }
}

/// `name` or `root=>field` of `$xavu`, where nothing has an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    root: Box<[u8]>,
    field: Option<Box<[u8]>>,
}

impl Parse for Names {
    const NAME: &'static str = "xavu";
    const WHAT: &'static str = "a name: root or root=>field";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let path = Path::parse(text)?;
        let bare = |step: Step| match step.place {
            Place::Absent => Ok(step.name),
            _ => Err(ConstantError::new("a name has one value, and no index")),
        };
        Ok(Names {
            root: bare(path.root)?,
            field: path.field.map(bare).transpose()?,
        })
    }
}

/// Why one of them is not assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XavpError {
    /// No room.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A root that is to be changed is not there.
    #[error("there is no such value to change")]
    NoRoot,
    /// A field is to be put where there is a value.
    #[error("this holds a value, not fields")]
    NotFields,
}

/// The indices of a path that are variables.
type Computed = [Hole; 2];

impl Place {
    /// With what variables say put in.
    fn known(self, computed: Computed) -> Place {
        match self {
            Place::Computed(n) => match computed.get(n) {
                Some(Hole(Some(index))) => Place::At(*index),
                _ => Place::Absent,
            },
            place => place,
        }
    }
}

/// Number `n` of `all`, negative from the end.
fn nth(mut all: impl Iterator<Item = Id> + Clone, n: i64) -> Option<Id> {
    let n = if n < 0 {
        n.checked_add(i64::try_from(all.clone().count()).ok()?)?
    } else {
        n
    };
    all.nth(usize::try_from(n).ok()?)
}

/// The root or field at a place that names one: without an index, or with `[*]`, the first.
fn one(all: impl Iterator<Item = Id> + Clone, place: Place) -> Option<Id> {
    match place {
        Place::At(n) => nth(all, n),
        _ => nth(all, 0),
    }
}

/// A node as a value; a list shows that it is one.
fn value(run: &mut Run, of: Id) -> Val {
    match run.xavps.item(of) {
        Item::Int(n) => Val::int(n),
        Item::Text(text) => run.scratch.copy(text),
        Item::List(None) => Val::str(b"<<xavp:(nil)>>"),
        Item::List(Some(first)) => {
            let number = first.shown();
            written::<32>(run, format_args!("<<xavp:{number:#x}>>"))
        }
    }
}

fn read(run: &mut Run, space: Space, path: &Path, computed: Computed) -> Option<Val> {
    let xavps = &run.xavps;
    if xavps.is_empty() {
        return None;
    }
    let place = path.root.place.known(computed);
    let root = one(xavps.roots(space, &path.root.name), place)?;
    let Some(field) = &path.field else {
        return Some(value(run, root));
    };
    let fields = xavps.fields(space, root, &field.name);
    match field.place.known(computed) {
        Place::All => {
            let shown = |id| match xavps.item(id) {
                Item::List(_) => Value::Str(b"<<xavp>>"),
                item => item.value().unwrap_or(Value::Null),
            };
            join(&mut run.scratch, fields.map(shown))
        }
        place => {
            let field = one(fields, place)?;
            Some(value(run, field))
        }
    }
}

/// Removes what an assignment of null means.
fn remove(xavps: &mut Xavps, space: Space, path: &Path, computed: Computed) {
    let place = path.root.place.known(computed);
    let name = &path.root.name;
    let Some(field) = &path.field else {
        match place {
            Place::All => {
                xavps.remove_roots(space, name);
            }
            Place::At(..0) => {}
            place => {
                if let Some(root) = one(xavps.roots(space, name), place) {
                    xavps.remove_root(space, root);
                }
            }
        }
        return;
    };
    let roots: Vec<Id> = match place {
        Place::All => xavps.roots(space, name).collect(),
        Place::At(..0) => Vec::new(),
        place => one(xavps.roots(space, name), place).into_iter().collect(),
    };
    for root in roots {
        let found: Vec<Id> = {
            let fields = xavps.fields(space, root, &field.name);
            match field.place.known(computed) {
                Place::All => fields.collect(),
                Place::At(..0) => Vec::new(),
                place => one(fields, place).into_iter().collect(),
            }
        };
        for found in found {
            xavps.remove_field(root, found);
        }
    }
}

/// Assigns as Kamailio does: without an index a new root or field is put on top, with one the value
/// there is changed. What is not there is left alone, but a root that is to be a value is missed.
fn write(
    xavps: &mut Xavps,
    space: Space,
    path: &Path,
    computed: Computed,
    value: Value<'_>,
) -> Result<(), XavpError> {
    if value == Value::Null {
        remove(xavps, space, path, computed);
        return Ok(());
    }
    let place = path.root.place.known(computed);
    let name = &path.root.name;
    let found = match place {
        Place::At(0..) => one(xavps.roots(space, name), place),
        _ => None,
    };
    let Some(field) = &path.field else {
        match (place, found) {
            (Place::Absent, _) => xavps.add_root(space, name, value).map(|_| ())?,
            (_, Some(root)) => xavps.set(root, value)?,
            (_, None) => return Err(XavpError::NoRoot),
        }
        return Ok(());
    };
    if place == Place::Absent {
        let root = xavps.add_root(space, name, Value::Null)?;
        if let Err(error) = xavps.add_field(root, End::Front, &field.name, value) {
            xavps.remove_root(space, root);
            return Err(error.into());
        }
        return Ok(());
    }
    let Some(root) = found else {
        return Ok(());
    };
    if !matches!(xavps.item(root), Item::List(_)) {
        return Err(XavpError::NotFields);
    }
    let place = field.place.known(computed);
    if place == Place::Absent {
        xavps.add_field(root, End::Front, &field.name, value)?;
        return Ok(());
    }
    let found = match place {
        Place::At(0..) => one(xavps.fields(space, root, &field.name), place),
        _ => None,
    };
    if let Some(found) = found {
        xavps.set(found, value)?;
    }
    Ok(())
}

fn write_only(xavps: &mut Xavps, names: &Names, value: Value<'_>) -> Result<(), TooMany> {
    let (space, root) = (Space::Xavu, &names.root);
    let found = xavps.roots(space, root).next();
    match (&names.field, value, found) {
        (_, Value::Null, None) => Ok(()),
        (None, Value::Null, Some(root)) => {
            xavps.remove_root(space, root);
            Ok(())
        }
        (Some(field), Value::Null, Some(root)) => {
            let found = xavps.fields(space, root, field).next();
            if let Some(found) = found {
                xavps.remove_field(root, found);
            }
            Ok(())
        }
        (None, value, Some(root)) => xavps.set(root, value),
        (None, value, None) => xavps.add_root(space, root, value).map(|_| ()),
        (Some(field), value, _) => xavps.set_field(space, root, field, value),
    }
}

/// What `$cnt` counts.
#[derive(Clone, Debug)]
pub enum Counted {
    /// Values of an AVP.
    Avp(AvpName),
    /// Roots, or with a field the values of that in one root.
    Xavp(Path),
    /// The name is a variable: null, as on Kamailio.
    Unknown,
}

impl Parse for Counted {
    const NAME: &'static str = "counted";
    const WHAT: &'static str = "a list: $avp(name) or $xavp(name)";
    const HOLES: Option<Holes> = Path::HOLES_IN_PARENTHESES;

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let inside = |prefix: &[u8]| -> Option<&[u8]> {
            text.trim_ascii().strip_prefix(prefix)?.strip_suffix(b")")
        };
        if let Some(name) = inside(b"$avp(") {
            if name.starts_with(b"$") {
                return Ok(Counted::Unknown);
            }
            return AvpName::parse(name).map(Counted::Avp);
        }
        match inside(b"$xavp(") {
            Some(path) => Path::parse(path).map(Counted::Xavp),
            None => Err(ConstantError::new("$avp(name) or $xavp(name) is expected")),
        }
    }
}

impl Path {
    /// The variables in a path that stands in parentheses.
    const HOLES_IN_PARENTHESES: Option<Holes> = Some(Holes {
        count: 2,
        find: |text| {
            let Some(open) = memchr::memchr(b'(', text).filter(|_| text.ends_with(b")")) else {
                return Vec::new();
            };
            if !text.starts_with(b"$xavp") {
                return Vec::new();
            }
            let holes = find_holes(&text[open + 1..text.len() - 1]);
            let moved = |range: Range<usize>| range.start + open + 1..range.end + open + 1;
            holes
                .into_iter()
                .map(|(n, range)| (n, moved(range)))
                .collect()
        },
    });
}

/// `$xavp` and its like.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::{Const, Hole};
    use crate::run::{Run, Space, TooMany};
    use crate::value::{Val, Value};

    use super::{Counted, Names, Path, XavpError, one, read, value, write, write_only};

    /// Values with names that may hold fields, which belong to the message and its transaction.
    ///
    /// `$xavp(root)` is a value, `$xavp(root=>field)` a field of a root. Each name may have several
    /// values; indices count from the newest, 0, and may be variables: `$xavp(root[1]=>field[0])`.
    /// Reading without an index gives the newest; `field[*]` all values of the field joined by `, `. A
    /// root that holds fields reads as `<<xavp:…>>`.
    ///
    /// Assigning to `$xavp(root=>field)` makes a new root with this field, to `$xavp(root[0]=>field)`
    /// adds a field to a root that is there, to `$xavp(root[0]=>field[0])` changes the value of one; where
    /// the root or field is not there, nothing happens. Null removes the newest value, or that of an
    /// index, or with `[*]` all.
    ///
    /// ```cfg
    /// $xavp(caller=>name) = $fn;
    /// $xavp(caller[0]=>number) = $fU;
    /// if ($xavp(caller=>number) == "100") $xavp(caller) = $null;
    /// ```
    #[pv(name = "xavp")]
    fn xavp(run: &mut Run, path: Const<Path>, root: Hole, field: Hole) -> Option<Val> {
        read(run, Space::Xavp, &path, [root, field])
    }

    #[pv_write("xavp")]
    fn set_xavp(
        run: &mut Run,
        path: Const<Path>,
        root: Hole,
        field: Hole,
        value: Value,
    ) -> Result<(), XavpError> {
        write(&mut run.xavps, Space::Xavp, &path, [root, field], value)
    }

    /// As `$xavp`, with lists of its own and names that match in any case.
    ///
    /// ```cfg
    /// $xavi(Caller=>Name) = $fn;
    /// if ($xavi(caller=>name) == $null) exit;
    /// ```
    #[pv(name = "xavi")]
    fn xavi(run: &mut Run, path: Const<Path>, root: Hole, field: Hole) -> Option<Val> {
        read(run, Space::Xavi, &path, [root, field])
    }

    #[pv_write("xavi")]
    fn set_xavi(
        run: &mut Run,
        path: Const<Path>,
        root: Hole,
        field: Hole,
        value: Value,
    ) -> Result<(), XavpError> {
        write(&mut run.xavps, Space::Xavi, &path, [root, field], value)
    }

    /// Values with names that belong to the message and its transaction, one value a name: `$xavu(root)`
    /// is a value, `$xavu(root=>field)` a field of a root. Assigning changes it, null removes it.
    ///
    /// ```cfg
    /// $xavu(caller=>number) = $fU;
    /// ```
    #[pv(name = "xavu")]
    fn xavu(run: &mut Run, names: Const<Names>) -> Option<Val> {
        let root = run.xavps.roots(Space::Xavu, &names.root).next()?;
        let found = match &names.field {
            Some(field) => run.xavps.fields(Space::Xavu, root, field).next()?,
            None => root,
        };
        Some(value(run, found))
    }

    #[pv_write("xavu")]
    fn set_xavu(run: &mut Run, names: Const<Names>, value: Value) -> Result<(), TooMany> {
        write_only(&mut run.xavps, &names, value)
    }

    /// How many values `$avp(name)` or `$xavp(name)` has, or `$xavp(root=>field)` in that root; 0 where
    /// there is none. The name is literal; for a variable it is null, as on Kamailio.
    ///
    /// ```cfg
    /// if ($cnt($avp(caller)) > 1) exit;
    /// ```
    #[pv(name = "cnt")]
    fn cnt(run: &mut Run, list: Const<Counted>, root: Hole, _field: Hole) -> Option<i64> {
        let count = match &*list {
            Counted::Unknown => return None,
            Counted::Avp(name) => run.avps.values(name).count(),
            Counted::Xavp(path) => {
                let roots = run.xavps.roots(Space::Xavp, &path.root.name);
                match &path.field {
                    None => roots.count(),
                    Some(field) => {
                        let place = path.root.place.known([root, root]);
                        let fields = |root| run.xavps.fields(Space::Xavp, root, &field.name);
                        one(roots, place).map_or(0, |root| fields(root).count())
                    }
                }
            }
        };
        i64::try_from(count).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_two_names_with_an_index_each() {
        let path = |text: &str| Path::parse(text.as_bytes());
        let it = path("a[1] => b[$(var(i){s.len})]").unwrap();
        assert_eq!((&*it.root.name, it.root.place), (&b"a"[..], Place::At(1)));
        let field = it.field.unwrap();
        assert_eq!((&*field.name, field.place), (&b"b"[..], Place::Computed(1)));
        assert_eq!(path("a[*]=>b[-1]").unwrap().root.place, Place::All);
        assert_eq!(&*path("$var(n)=>b").unwrap().root.name, b"$var(n)");
        assert_eq!(&*path("a=>b=>c").unwrap().field.unwrap().name, b"b=>c");
        for (bad, offset) in [
            ("", 0),
            ("=>b", 0),
            ("a=>", 3),
            ("a=b", 1),
            ("a[x]", 2),
            ("a[]=>b", 2),
            ("a[ 1]", 2),
            ("a[+1]", 2),
            ("a[1", 1),
            ("a[1]x", 4),
            ("a=>b[--1]", 5),
        ] {
            assert_eq!(path(bad).unwrap_err().offset, offset, "{bad}");
        }
    }

    #[test]
    fn variables_in_indices_are_found() {
        let holes = |text: &str| find_holes(text.as_bytes());
        assert_eq!(holes("a[$var(i)]=>b"), [(0, 2..9)]);
        assert_eq!(holes("a=>b[$(avp(x)[1])]"), [(1, 5..17)]);
        assert_eq!(holes("a[$rs]=>b[$rs]"), [(0, 2..5), (1, 10..13)]);
        assert_eq!(holes("a[1]=>$var(x)"), []);
    }
}
