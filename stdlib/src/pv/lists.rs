//! Functions on `$xavp`, `$xavi` and `$xavu`.

use kcc_macros::part;
use kcc_runtime::log;
use kcc_runtime::run::{End, Id, Item, Run, Space, TooMany};
use kcc_runtime::value::Value;

/// A list of values is longer than a message may have.
const TOO_MANY: &str = "the message has too many values";

fn stored(result: Result<(), TooMany>) -> Result<bool, &'static str> {
    result.map(|()| true).map_err(|_| TOO_MANY)
}

/// Sets `root=>field`, as `xavp_child_seti` and its like do.
fn set_child(
    run: &mut Run,
    space: Space,
    root: &[u8],
    field: &[u8],
    value: Value<'_>,
) -> Result<bool, &'static str> {
    if root.is_empty() || field.is_empty() {
        return Err("a name is empty");
    }
    stored(run.xavps.set_field(space, root, field, value))
}

/// Removes the newest `root=>field`.
fn remove_child(run: &mut Run, space: Space, root: &[u8], field: &[u8]) {
    let Some(root) = run.xavps.roots(space, root).next() else {
        return;
    };
    let found = run.xavps.fields(space, root, field).next();
    if let Some(found) = found {
        run.xavps.remove_field(root, found);
    }
}

/// Removes the newest root.
fn remove(run: &mut Run, space: Space, name: &[u8]) {
    let found = run.xavps.roots(space, name).next();
    if let Some(found) = found {
        run.xavps.remove_root(space, found);
    }
}

/// Root number `index` of a name.
fn root(run: &Run, name: &[u8], index: i64) -> Option<Id> {
    let index = usize::try_from(index).ok()?;
    run.xavps.roots(Space::Xavp, name).nth(index)
}

/// Copies a root to the end of the roots called `to`, or into the place of one of them.
fn copy(
    run: &mut Run,
    from: &[u8],
    index: i64,
    to: &[u8],
    place: Option<i64>,
) -> Result<bool, &'static str> {
    if to.is_empty() {
        return Err("the name is empty");
    }
    let source = root(run, from, index).ok_or("there is no such source")?;
    let replaced = match place {
        Some(place) => Some(root(run, to, place).ok_or("there is no such destination")?),
        None => None,
    };
    let copied = run
        .xavps
        .copy_root(Space::Xavp, source, to)
        .map_err(|_| TOO_MANY)?;
    if let Some(replaced) = replaced {
        run.xavps.replace_root(Space::Xavp, copied, replaced);
    }
    Ok(true)
}

/// Logs all values, a line each, fields indented.
fn print(run: &Run, space: Space) {
    if !log::enabled(log::Level::Info) {
        return;
    }
    let xavps = &run.xavps;
    let line = |of: Id, indent: &str| {
        let name = String::from_utf8_lossy(xavps.name(of));
        match xavps.item(of) {
            Item::Int(n) => log::log!(log::Level::Info, "{indent}{name} = {n}"),
            Item::Text(text) => {
                let text = String::from_utf8_lossy(text);
                log::log!(log::Level::Info, "{indent}{name} = {text:?}");
            }
            Item::List(_) => log::log!(log::Level::Info, "{indent}{name}:"),
        }
    };
    for root in xavps.all_roots(space) {
        line(root, "");
        for field in xavps.all_fields(root) {
            line(field, "    ");
        }
    }
}

/// Functions on `$xavp`, `$xavi` and `$xavu`.
#[part(module = "pv")]
pub mod exports {
    use kcc_runtime::declare::{Int, Text};
    use kcc_runtime::run::{Run, Space, TooMany};
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::Value;

    use super::{End, copy, print, remove, remove_child, root, set_child, stored};

    /// Sets `$xavp(root=>field)` to the integer `value`: it is changed where it is there, made where it is
    /// not. A root that holds a value gets fields instead.
    ///
    /// ```cfg
    /// xavp_child_seti("caller", "age", "42");
    /// ```
    #[function(routes = "any")]
    fn xavp_child_seti(
        run: &mut Run,
        root: Text,
        field: Text,
        value: Int,
    ) -> Result<bool, &'static str> {
        set_child(run, Space::Xavp, root, field, Value::Int(value))
    }

    /// As `xavp_child_seti`, to the text `value`.
    ///
    /// ```cfg
    /// xavp_child_sets("caller", "name", "$fn");
    /// ```
    #[function(routes = "any")]
    fn xavp_child_sets(
        run: &mut Run,
        root: Text,
        field: Text,
        value: Text,
    ) -> Result<bool, &'static str> {
        set_child(run, Space::Xavp, root, field, Value::Str(value))
    }

    /// As `xavp_child_seti`, of `$xavi`.
    ///
    /// ```cfg
    /// xavi_child_seti("Caller", "Age", "42");
    /// ```
    #[function(routes = "any")]
    fn xavi_child_seti(
        run: &mut Run,
        root: Text,
        field: Text,
        value: Int,
    ) -> Result<bool, &'static str> {
        set_child(run, Space::Xavi, root, field, Value::Int(value))
    }

    /// As `xavp_child_sets`, of `$xavi`.
    ///
    /// ```cfg
    /// xavi_child_sets("Caller", "Name", "$fn");
    /// ```
    #[function(routes = "any")]
    fn xavi_child_sets(
        run: &mut Run,
        root: Text,
        field: Text,
        value: Text,
    ) -> Result<bool, &'static str> {
        set_child(run, Space::Xavi, root, field, Value::Str(value))
    }

    /// Removes the newest `$xavp(root=>field)`. Always true.
    ///
    /// ```cfg
    /// xavp_child_rm("caller", "name");
    /// ```
    #[function(routes = "any")]
    fn xavp_child_rm(run: &mut Run, root: Text, field: Text) -> Verdict {
        remove_child(run, Space::Xavp, root, field);
        Verdict::TRUE
    }

    /// Removes the newest `$xavi(root=>field)`. Always true.
    ///
    /// ```cfg
    /// xavi_child_rm("Caller", "Name");
    /// ```
    #[function(routes = "any")]
    fn xavi_child_rm(run: &mut Run, root: Text, field: Text) -> Verdict {
        remove_child(run, Space::Xavi, root, field);
        Verdict::TRUE
    }

    /// Removes the newest `$xavp(name)`. Always true.
    ///
    /// ```cfg
    /// xavp_rm("caller");
    /// ```
    #[function(routes = "any")]
    fn xavp_rm(run: &mut Run, name: Text) -> Verdict {
        remove(run, Space::Xavp, name);
        Verdict::TRUE
    }

    /// Removes the newest `$xavi(name)`. Always true.
    ///
    /// ```cfg
    /// xavi_rm("Caller");
    /// ```
    #[function(routes = "any")]
    fn xavi_rm(run: &mut Run, name: Text) -> Verdict {
        remove(run, Space::Xavi, name);
        Verdict::TRUE
    }

    /// Removes all `$xavp(name)`. Always true.
    ///
    /// ```cfg
    /// xavp_rm_all("caller");
    /// ```
    #[function(routes = "any")]
    fn xavp_rm_all(run: &mut Run, name: Text) -> Verdict {
        run.xavps.remove_roots(Space::Xavp, name);
        Verdict::TRUE
    }

    /// Removes all `$xavi(name)`. Always true.
    ///
    /// ```cfg
    /// xavi_rm_all("Caller");
    /// ```
    #[function(routes = "any")]
    fn xavi_rm_all(run: &mut Run, name: Text) -> Verdict {
        run.xavps.remove_roots(Space::Xavi, name);
        Verdict::TRUE
    }

    /// Copies `$xavp(source[index])` with its fields behind the values of `$xavp(destination)`, or with
    /// `place` over `$xavp(destination[place])`.
    ///
    /// False where the source or the place is not there.
    ///
    /// ```cfg
    /// $xavp(a=>x) = 1;
    /// xavp_copy("a", "0", "b");
    /// ```
    #[function(routes = "any")]
    fn xavp_copy(
        run: &mut Run,
        source: Text,
        index: Int,
        destination: Text,
        place: Option<Int>,
    ) -> Result<bool, &'static str> {
        copy(run, source, index, destination, place)
    }

    /// Moves values of `$xavp(name)` from the front to the end, until the one that was number `index` is the
    /// first. An index beyond the number of values goes round; a negative one counts from the end.
    ///
    /// False where there is no such value.
    ///
    /// ```cfg
    /// $xavp(n) = 10;
    /// $xavp(n) = 20;
    /// xavp_lshift("n", "1");
    /// ```
    #[function(routes = "any")]
    fn xavp_lshift(run: &mut Run, name: Text, index: Int) -> bool {
        if name.is_empty() {
            return false;
        }
        if index == 0 {
            return true;
        }
        let count = run.xavps.roots(Space::Xavp, name).count();
        let Some(index) = i64::try_from(count)
            .ok()
            .and_then(|count| index.checked_rem_euclid(count))
        else {
            return false;
        };
        run.xavps
            .rotate(Space::Xavp, name, usize::try_from(index).unwrap_or(0));
        true
    }

    /// Splits `list` at any of the characters of `separators` and makes a new root `$xavp(name)` with a field
    /// `v` for each part, in their order: `$xavp(name=>v[0])` is the first. Empty parts are left out. With
    /// `mode` `t` blanks around parts are left out.
    ///
    /// False where an argument but `mode` is empty.
    ///
    /// ```cfg
    /// xavp_slist_explode("a, b, c", ",", "t", "list");
    /// if ($xavp(list=>v[1]) == "b") exit;
    /// ```
    #[function(routes = "any")]
    fn xavp_slist_explode(
        run: &mut Run,
        list: Text,
        separators: Text,
        mode: Text,
        name: Text,
    ) -> Result<bool, &'static str> {
        if list.is_empty() || separators.is_empty() || name.is_empty() {
            return Err("an argument is empty");
        }
        let trim = matches!(mode.first(), Some(b't' | b'T'));
        let parts = list.split(|c| separators.contains(c));
        let parts = parts.map(|part| if trim { part.trim_ascii() } else { part });
        let xavps = &mut run.xavps;
        let add = || -> Result<(), TooMany> {
            let root = xavps.add_root(Space::Xavp, name, Value::Null)?;
            let mut end = End::Front;
            for part in parts.filter(|part| !part.is_empty()) {
                end = End::After(xavps.add_field(root, end, b"v", Value::Str(part))?);
            }
            Ok(())
        };
        stored(add())
    }

    /// Takes the destination from the fields of the newest `$xavp(name)`: `uri` becomes the Request-URI,
    /// `dsturi` the next hop, `socket` the socket to send from. Fields that are not there change nothing.
    ///
    /// False where there is no such value, or a field is not valid.
    ///
    /// ```cfg
    /// $xavp(dst=>uri) = "sip:alice@example.com";
    /// $xavp(dst[0]=>dsturi) = "sip:192.0.2.7";
    /// xavp_push_dst("dst");
    /// ```
    #[function(routes = "request|failure|branch")]
    fn xavp_push_dst(run: &mut Run, name: Text) -> Result<bool, String> {
        let found = root(run, name, 0).ok_or("there is no such value")?;
        let field = |run: &Run, field: &[u8]| -> Option<Vec<u8>> {
            let found = run.xavps.fields(Space::Xavp, found, field).next()?;
            match run.xavps.item(found).value()? {
                Value::Str(text) => Some(text.to_vec()),
                _ => None,
            }
        };
        let [uri, next, socket] = [&b"uri"[..], b"dsturi", b"socket"].map(|name| field(run, name));
        let socket = match socket {
            Some(text) => Some(
                kcc_runtime::variables::next_hop::socket_called(run, &text)
                    .ok_or("no listen socket is called that")?,
            ),
            None => None,
        };
        if let Some(uri) = uri {
            run.set_uri(&uri).map_err(|error| error.to_string())?;
        }
        if let Some(next) = next {
            run.target.dst_uri.set(&next);
        }
        if socket.is_some() {
            run.target.socket = socket;
        }
        Ok(true)
    }

    /// Logs all `$xavp` at level INFO.
    ///
    /// ```cfg
    /// pv_xavp_print();
    /// ```
    #[function(routes = "any")]
    fn pv_xavp_print(run: &mut Run) -> Verdict {
        print(run, Space::Xavp);
        Verdict::TRUE
    }

    /// Logs all `$xavi` at level INFO.
    ///
    /// ```cfg
    /// pv_xavi_print();
    /// ```
    #[function(routes = "any")]
    fn pv_xavi_print(run: &mut Run) -> Verdict {
        print(run, Space::Xavi);
        Verdict::TRUE
    }

    /// Logs all `$xavu` at level INFO.
    ///
    /// ```cfg
    /// pv_xavu_print();
    /// ```
    #[function(routes = "any")]
    fn pv_xavu_print(run: &mut Run) -> Verdict {
        print(run, Space::Xavu);
        Verdict::TRUE
    }

    /// Makes of the variable `$var(variable)` a new `$xavp(name)` with a field of its name; of `*` one with
    /// all variables. Older values of `$xavp(name)` are removed.
    ///
    /// False where the configuration has no such variable.
    ///
    /// ```cfg
    /// $var(count) = 3;
    /// pv_var_to_xavp("count", "saved");
    /// if ($xavp(saved=>count) == 3) exit;
    /// ```
    #[function(routes = "any")]
    fn pv_var_to_xavp(run: &mut Run, variable: Text, name: Text) -> Result<bool, &'static str> {
        if name.is_empty() {
            return Err("the name is empty");
        }
        let program = run.program.clone();
        let vars = || {
            let all = program.manifest.vars.iter().enumerate();
            all.filter(|(_, spec)| {
                !spec.null && (variable == b"*" || spec.name.as_bytes() == variable)
            })
        };
        if vars().next().is_none() {
            return Err("there is no such variable");
        }
        run.xavps.remove_roots(Space::Xavp, name);
        let mut add = || -> Result<(), TooMany> {
            let root = run.xavps.add_root(Space::Xavp, name, Value::Null)?;
            for (slot, spec) in vars() {
                run.with_var(slot, |run, value| {
                    let field = spec.name.as_bytes();
                    run.xavps.add_field(root, End::Front, field, value)
                })?;
            }
            Ok(())
        };
        stored(add())
    }

    /// Assigns the fields of the newest `$xavp(name)` to the variables `$var` of their names, where the
    /// configuration has such.
    ///
    /// False where there is no such value or it has no fields.
    ///
    /// ```cfg
    /// $xavp(saved=>count) = 3;
    /// pv_xavp_to_var("saved");
    /// if ($var(count) == 3) exit;
    /// ```
    #[function(routes = "any")]
    fn pv_xavp_to_var(run: &mut Run, name: Text) -> Result<bool, &'static str> {
        let found = root(run, name, 0).ok_or("there is no such value")?;
        if run.xavps.item(found).value().is_some() {
            return Err("this holds a value, not fields");
        }
        let program = run.program.clone();
        let xavps = std::mem::take(&mut run.xavps);
        // Of a name with several values the newest counts, which comes first.
        let fields: Vec<_> = xavps.all_fields(found).collect();
        for field in fields.into_iter().rev() {
            let name = xavps.name(field);
            let mut vars = program.manifest.vars.iter();
            let slot = vars.position(|spec| !spec.null && spec.name.as_bytes() == name);
            if let (Some(slot), Some(value)) = (slot, xavps.item(field).value()) {
                run.set_var(slot, value);
            }
        }
        run.xavps = xavps;
        Ok(true)
    }
}
