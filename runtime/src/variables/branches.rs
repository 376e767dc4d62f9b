//! Further destinations of a request (`append_branch`), and what is known of the contact of the
//! first.

use std::io::Write;

use super::key::keys;
use super::{Refused, next_hop, some};
use crate::run::{Run, Slot, Target};
use crate::transport::SocketId;
use crate::value::{Val, Value};

keys! {
    /// What `$branch(…)` tells of a branch.
    BranchKey("branch-key", "a key of $branch") {
        /// The Request-URI.
        Uri = "uri",
        /// The next hop.
        Destination = "dst_uri",
        /// The path.
        Path = "path",
        /// The socket to send from.
        Socket = "send_socket",
        /// Branch flags.
        Flags = "flags",
        /// How many branches there are.
        Count = "count",
        /// The contact's record id.
        Ruid = "ruid",
        /// The user agent that registered the contact.
        UserAgent = "location_ua",
        /// The instance of the contact.
        Instance = "instance",
        /// The connection that the contact came on.
        Connection = "otcpid",
    }
}

/// The text that a key means.
fn slot(target: &mut Target, key: BranchKey) -> Option<&mut Slot> {
    match key {
        BranchKey::Uri => Some(&mut target.uri),
        BranchKey::Destination => Some(&mut target.dst_uri),
        BranchKey::Path => Some(&mut target.path),
        BranchKey::Ruid => Some(&mut target.ruid),
        BranchKey::UserAgent => Some(&mut target.location_ua),
        BranchKey::Instance => Some(&mut target.instance),
        BranchKey::Socket | BranchKey::Flags | BranchKey::Count | BranchKey::Connection => None,
    }
}

/// A part of a branch; null where it is unset.
pub(super) fn part(run: &mut Run, target: &mut Target, key: BranchKey) -> Option<Val> {
    match key {
        BranchKey::Count => None,
        BranchKey::Flags => Some(Val::int(i64::from(target.flags))),
        BranchKey::Connection => Some(Val::int(target.connection)),
        BranchKey::Socket => {
            let socket = target.socket?;
            let socket = run.try_worker()?.network.socket(socket)?;
            Some(Val::str(socket.text.as_bytes()))
        }
        key => {
            let text = some(slot(target, key)?.get()?)?;
            Some(run.scratch.copy(text))
        }
    }
}

/// The socket that a value names, for a key that is one: checked before the branch is changed.
pub(super) fn socket_of(
    run: &Run,
    key: BranchKey,
    value: Value<'_>,
) -> Result<Option<SocketId>, Refused> {
    match (key, value) {
        (BranchKey::Socket, Value::Str(text)) => {
            let found = next_hop::socket_called(run, text);
            Ok(Some(found.ok_or(Refused::NoSocket)?))
        }
        _ => Ok(None),
    }
}

/// Changes a part of a branch; `socket` is what [`socket_of`] gave.
pub(super) fn assign(
    branch: &mut Target,
    key: BranchKey,
    value: Value<'_>,
    socket: Option<SocketId>,
) -> Result<(), Refused> {
    match (key, value) {
        (BranchKey::Count, _) => return Err(Refused::ReadOnly),
        (BranchKey::Flags, Value::Int(flags)) => branch.flags = flags as u32,
        (BranchKey::Flags, Value::Null) => branch.flags = 0,
        (BranchKey::Connection, Value::Int(id)) => branch.connection = id,
        (BranchKey::Connection, Value::Null) => branch.connection = 0,
        (BranchKey::Flags | BranchKey::Connection, _) => return Err(Refused::NotNumber),
        (BranchKey::Socket, Value::Int(_)) => return Err(Refused::NotText),
        (BranchKey::Socket, _) => branch.socket = socket,
        (key, value) => {
            let slot = slot(branch, key).ok_or(Refused::ReadOnly)?;
            match value {
                Value::Str(text) => slot.set(text),
                Value::Null => slot.clear(),
                Value::Int(_) => return Err(Refused::NotText),
            }
        }
    }
    Ok(())
}

/// Writes `<uri>` and the preference, or the bare URI where neither is asked for.
fn write_branch(uri: &[u8], q: Option<u16>, brackets: bool, out: &mut &mut [u8]) -> Option<()> {
    let brackets = brackets || q.is_some();
    if brackets {
        out.write_all(b"<").ok()?;
    }
    out.write_all(uri).ok()?;
    if brackets {
        out.write_all(b">").ok()?;
    }
    match q {
        Some(1000..) => out.write_all(b";q=1").ok(),
        Some(q) => {
            let text = format_args!(";q={:.3}", f64::from(q) / 1000.0).to_string();
            let text = text.trim_end_matches('0').trim_end_matches('.');
            out.write_all(text.as_bytes()).ok()
        }
        None => Some(()),
    }
}

/// The branches as a list, after the rewritten Request-URI where `first`.
fn list(run: &mut Run, prefix: &[u8], first: bool, brackets: bool) -> Option<Val> {
    let own = Some(&run.target).filter(|_| first);
    let all = || own.into_iter().chain(run.branches.as_slice());
    let set = || all().filter_map(|target| Some((target.uri.get()?, target.q)));
    let room: usize = set().map(|(uri, _)| uri.len() + 16).sum();
    if room == 0 {
        return None;
    }
    let size = room + prefix.len();
    let space = run.scratch.alloc(size)?;
    let mut rest = &mut space[..];
    rest.write_all(prefix).ok()?;
    for (n, (uri, q)) in set().enumerate() {
        if n > 0 {
            rest.write_all(b", ").ok()?;
        }
        write_branch(uri, q, brackets, &mut rest)?;
    }
    let len = size - rest.len();
    space.get(..len).map(Val::str)
}

/// Adds a branch for `uri`, from the socket that the first has.
fn append(run: &mut Run, uri: &[u8]) -> Result<(), Refused> {
    let limit = run.program.settings.branch_limit();
    let socket = run.target.socket;
    let branch = run.branches.push(limit).ok_or(Refused::TooManyBranches)?;
    branch.uri.set(uri);
    branch.socket = socket;
    Ok(())
}

fn set_part(run: &mut Run, key: BranchKey, n: usize, value: Value<'_>) -> Result<(), Refused> {
    let socket = socket_of(run, key, value)?;
    let branch = run
        .branches
        .as_mut_slice()
        .get_mut(n)
        .ok_or(Refused::NoBranch)?;
    if (key, value) == (BranchKey::Uri, Value::Null) {
        run.branches.remove(n);
        return Ok(());
    }
    assign(branch, key, value, socket)
}

/// Variables of branches.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::{Const, Index};
    use crate::run::Run;
    use crate::value::{Val, Value};
    use crate::variables::{Refused, some};

    use super::{BranchKey, append, list, part, set_part};

    /// The destinations as a Contact header field, without its line end: the rewritten Request-URI
    /// and the further branches. Null where there is neither.
    #[pv(name = "ds")]
    fn ds(run: &mut Run) -> Option<Val> {
        list(run, b"Contact: ", true, true)
    }

    /// The URI of the first further branch; null where there is none. Assigning adds a branch.
    ///
    /// ```cfg
    /// $br = "sip:200@192.0.2.7";
    /// ```
    #[pv(name = "br")]
    fn br(run: &mut Run) -> Option<Val> {
        let first = run.branches.as_slice().first()?.uri.get()?;
        Some(run.scratch.copy(first))
    }

    #[pv_write("br")]
    fn add_br(run: &mut Run, value: Value) -> Result<(), Refused> {
        match value {
            Value::Str([]) | Value::Null => Err(Refused::Null),
            Value::Str(uri) => append(run, uri),
            Value::Int(_) => Err(Refused::NotText),
        }
    }

    /// All further branches, joined by `, `, those with a preference as `<uri>;q=…`; null where there
    /// is none.
    #[pv(name = "bR")]
    fn all(run: &mut Run) -> Option<Val> {
        list(run, b"", false, false)
    }

    /// A part of a further branch, by default the first; null where there is no such branch or part.
    ///
    /// Keys: `uri`, `dst_uri` the next hop, `path`, `send_socket`, `flags` (an integer), `ruid`,
    /// `location_ua`, `instance`, `otcpid` (an integer), and `count`, the number of branches, null for none. The index counts
    /// from 0, negative from the end. All but `count` can be assigned; null unsets, and for `uri`
    /// removes the branch.
    ///
    /// ```cfg
    /// $(branch(dst_uri)[0]) = "sip:192.0.2.9";
    /// ```
    #[pv(name = "branch")]
    fn branch(run: &mut Run, key: Const<BranchKey>, index: Index) -> Option<Val> {
        let count = run.branches.as_slice().len();
        if *key == BranchKey::Count {
            return (count > 0).then_some(Val::int(count as i64));
        }
        let n = index.among(count)?;
        // Taken out while it is read, and put back.
        let mut target = std::mem::take(run.branches.as_mut_slice().get_mut(n)?);
        let value = part(run, &mut target, *key);
        if let Some(place) = run.branches.as_mut_slice().get_mut(n) {
            *place = target;
        }
        value
    }

    #[pv_write("branch")]
    fn set_branch(
        run: &mut Run,
        key: Const<BranchKey>,
        index: Index,
        value: Value,
    ) -> Result<(), Refused> {
        let count = run.branches.as_slice().len();
        let n = index.among(count).ok_or(Refused::NoBranch)?;
        set_part(run, *key, n, value)
    }

    /// The record id of the contact that the Request-URI was looked up from; null where unset.
    #[pv(name = "ruid")]
    fn ruid(run: &mut Run) -> Option<Val> {
        Some(run.scratch.copy(some(run.target.ruid.get()?)?))
    }

    /// The user agent that registered the contact that the Request-URI was looked up from; null where
    /// unset.
    #[pv(name = "location_ua")]
    fn location_ua(run: &mut Run) -> Option<Val> {
        Some(run.scratch.copy(some(run.target.location_ua.get()?)?))
    }
}
