//! `@sys` and `@branch`: the server, and the further destinations of a request.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::uri::{UriPart, uri_part};
use super::{Path, Step, Steps};
use crate::declare::ConstantError;
use crate::run::{Run, Target};
use crate::value::Val;
use crate::variables::calendar::{LONGEST, Moment};
use crate::variables::written;

/// What `@sys` tells.
#[derive(Debug)]
pub enum SystemPath {
    /// `pid`
    ProcessId,
    /// `server_id`
    ServerId,
    /// `unique`
    Unique,
    /// `now`: seconds since 1970.
    Now,
    /// `now.local`, `now.utc`, each with a format of strftime where one is given.
    Time {
        /// Local time, not UTC.
        local: bool,
        /// The format.
        format: Box<[u8]>,
    },
}

impl Path for SystemPath {
    const NAME: &'static str = "select-system";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        match steps.step()? {
            None => return Err(steps.incomplete()),
            Some(step) if step.is("pid") => return Ok(SystemPath::ProcessId),
            Some(step) if step.is("server_id") => return Ok(SystemPath::ServerId),
            Some(step) if step.is("unique") => return Ok(SystemPath::Unique),
            Some(step) if step.is("now") => {}
            Some(_) => return Err(steps.unknown()),
        }
        let local = match steps.step()? {
            None => return Ok(SystemPath::Now),
            Some(step) if step.is("local") => true,
            Some(step) if step.is("gmt") || step.is("utc") => false,
            Some(_) => return Err(steps.unknown()),
        };
        let format = match steps.step()? {
            None => &b"%a %b %e %H:%M:%S %Y"[..],
            Some(Step::Name(format)) => format,
            Some(Step::Index(_)) => return Err(steps.unknown()),
        };
        let format = format.into();
        Ok(SystemPath::Time { local, format })
    }
}

fn system(run: &mut Run, path: &SystemPath) -> Option<Val> {
    let now = i64::try_from(run.time_of_day().as_secs()).ok()?;
    Some(match path {
        SystemPath::ProcessId => written::<20>(run, format_args!("{}", std::process::id())),
        SystemPath::ServerId => {
            let id = run.program.settings.server_id;
            written::<20>(run, format_args!("{id}"))
        }
        SystemPath::Unique => {
            static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let (pid, start) = (std::process::id() & 0xffff, *START as u32);
            let number = (*START >> 32) as u32;
            let number = number.wrapping_add(count);
            written::<24>(run, format_args!("{pid:04x}-{start:08x}-{number:08x}"))
        }
        SystemPath::Now => written::<20>(run, format_args!("{now}")),
        SystemPath::Time { local, format } => {
            let moment = if *local {
                Moment::local(now)
            } else {
                Moment::utc(now)
            };
            let mut space = [0; LONGEST];
            let text = moment?.format(format, &mut space)?;
            run.text(text)
        }
    })
}

/// What `@branch` tells of a branch.
#[derive(Debug)]
enum BranchPart {
    /// Texts of all that are meant.
    Uri,
    Destination,
    UriQ,
    Q,
    /// Parts of one.
    PartOfUri(UriPart),
    PartOfDestination(UriPart),
}

/// `@branch` and what follows it.
#[derive(Debug)]
pub enum BranchPath {
    /// `count`
    Count,
    /// A part of the branch at this place, from 0, or of all.
    Part(Part),
}

/// A part of one or of all branches.
#[derive(Debug)]
pub struct Part {
    place: Option<i64>,
    part: BranchPart,
}

impl Path for BranchPath {
    const NAME: &'static str = "select-branch";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let step = steps.step()?.ok_or_else(|| steps.incomplete())?;
        if step.is("count") {
            return Ok(BranchPath::Count);
        }
        let place = steps.index()?;
        let part = if step.is("uri") {
            match UriPart::read(steps)? {
                UriPart::Whole => BranchPart::Uri,
                part => BranchPart::PartOfUri(part),
            }
        } else if step.is("dst_uri") {
            match UriPart::read(steps)? {
                UriPart::Whole => BranchPart::Destination,
                part => BranchPart::PartOfDestination(part),
            }
        } else if step.is("q") {
            BranchPart::Q
        } else if step.is("uriq") {
            match steps.step()? {
                None => BranchPart::UriQ,
                Some(step) if step.is("uri") => match UriPart::read(steps)? {
                    UriPart::Whole => BranchPart::Uri,
                    part => BranchPart::PartOfUri(part),
                },
                Some(step) if step.is("params") => match steps.name()? {
                    name if name.eq_ignore_ascii_case(b"q") => BranchPart::Q,
                    _ => return Err(steps.unknown()),
                },
                Some(_) => return Err(steps.unknown()),
            }
        } else {
            return Err(steps.unknown());
        };
        Ok(BranchPath::Part(Part { place, part }))
    }
}

/// Room for a preference and what stands around it.
const ROOM: usize = 16;

/// Writes a preference: `1`, `0.5`.
fn write_q(q: u16, out: &mut &mut [u8]) -> Option<()> {
    if q >= 1000 {
        return out.write_all(b"1").ok();
    }
    let mut digits = [b'0', b'.', 0, 0, 0];
    for (place, power) in [(2, 100), (3, 10), (4, 1)] {
        digits[place] = b'0' + (q / power % 10) as u8;
    }
    let shown = digits.iter().rposition(|byte| *byte != b'0').unwrap_or(0);
    let len = if shown < 2 { 1 } else { shown + 1 };
    out.write_all(digits.get(..len)?).ok()
}

/// Writes what is told of one branch.
fn write(target: &Target, part: &BranchPart, out: &mut &mut [u8]) -> Option<()> {
    let uri = target.uri.get().unwrap_or_default();
    match (part, target.q) {
        (BranchPart::Destination, _) => {
            out.write_all(target.dst_uri.get().unwrap_or_default()).ok()
        }
        (BranchPart::Q, None) => Some(()),
        (BranchPart::Q, Some(q)) => write_q(q, out),
        (BranchPart::UriQ, Some(q)) => {
            out.write_all(b"<").ok()?;
            out.write_all(uri).ok()?;
            out.write_all(b">;q=").ok()?;
            write_q(q, out)
        }
        _ => out.write_all(uri).ok(),
    }
}

fn branch(run: &mut Run, path: &Part) -> Option<Val> {
    let all = run.branches.as_slice();
    let chosen = match path.place {
        None => all,
        Some(n) => std::slice::from_ref(all.get(usize::try_from(n).ok()?)?),
    };
    let part_of = |slot: fn(&Target) -> Option<&[u8]>| match chosen {
        [one] => slot(one),
        _ => None,
    };
    match &path.part {
        BranchPart::PartOfUri(part) => {
            let uri = part_of(|target| target.uri.get())?;
            return uri_part(uri, part)?.value(&mut run.scratch, true);
        }
        BranchPart::PartOfDestination(part) => {
            let uri = part_of(|target| target.dst_uri.get())?;
            return uri_part(uri, part)?.value(&mut run.scratch, true);
        }
        _ if chosen.is_empty() => return None,
        _ => {}
    }
    let len = |target: &Target| {
        let texts = [target.uri.get(), target.dst_uri.get()];
        let text = texts.into_iter().flatten().map(<[u8]>::len).max();
        text.unwrap_or(0) + ROOM
    };
    let room: usize = chosen.iter().map(len).sum();
    let space = run.scratch.alloc(room)?;
    let mut rest = &mut space[..];
    for (n, target) in chosen.iter().enumerate() {
        if n > 0 {
            rest.write_all(b",").ok()?;
        }
        write(target, &path.part, &mut rest)?;
    }
    let len = room - rest.len();
    space.get(..len).map(Val::str)
}

/// Selects of the server and of branches.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use super::{BranchPath, SystemPath, branch, system};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::select::Below;
    use crate::value::Val;
    use crate::variables::written;

    /// The server: `pid`, `server_id`, `unique` (other text at each reading), `now` seconds since
    /// 1970, `now.local` and `now.utc` date and time, with a format of strftime as `now.utc["%H"]`.
    ///
    /// ```cfg
    /// if (@sys.now.local["%H"] == "23") exit;
    /// ```
    #[pv(name = "@sys")]
    fn sys(run: &mut Run, path: Const<Below<SystemPath>>) -> Option<Val> {
        system(run, &path.0)
    }

    /// The further branches of the request (`append_branch()`).
    ///
    /// `count` how many there are; `uri`, `dst_uri`, `uriq` (the URI with its preference), `q`: of
    /// all, joined by `,`, or with `[n]` of one, from 0. Of the URIs the parts of `@ruri`, of `uriq`
    /// `uri`, `name` and `params.x`. Null where there is no such branch.
    ///
    /// ```cfg
    /// if (@branch.uri[0].host == "192.0.2.1") exit;
    /// ```
    #[pv(name = "@branch")]
    fn branches(run: &mut Run, path: Const<Below<BranchPath>>) -> Option<Val> {
        match &path.0 {
            BranchPath::Count => {
                let count = run.branches.as_slice().len();
                Some(written::<20>(run, format_args!("{count}")))
            }
            BranchPath::Part(part) => branch(run, part),
        }
    }
}
