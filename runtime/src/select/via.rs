//! `@via`: Via header fields (RFC 3261 §20.42) by their place, from 1.

use kcc_sip::Via;

use super::{Path, Steps};
use crate::declare::ConstantError;
use crate::run::Run;

/// A part of one Via.
#[derive(Debug)]
pub enum ViaPart {
    /// The whole value.
    Whole,
    /// `name`: `SIP`.
    Name,
    /// `version`: `2.0`.
    Version,
    /// `transport`
    Transport,
    /// `host`
    Host,
    /// `port`, as written.
    Port,
    /// `comment`, without its parentheses.
    Comment,
    /// A parameter.
    Param(Box<[u8]>),
}

/// `[n]` and a part.
#[derive(Debug)]
pub struct ViaPath {
    /// Which: from 1; negative is the last.
    place: i64,
    part: ViaPart,
}

impl Path for ViaPath {
    const NAME: &'static str = "select-via";

    fn read(steps: &mut Steps<'_>) -> Result<Self, ConstantError> {
        let place = steps.index()?.unwrap_or(1);
        let part = match steps.step()? {
            None => ViaPart::Whole,
            Some(step) if step.is("name") => ViaPart::Name,
            Some(step) if step.is("version") => ViaPart::Version,
            Some(step) if step.is("transport") => ViaPart::Transport,
            Some(step) if step.is("host") => ViaPart::Host,
            Some(step) if step.is("port") => ViaPart::Port,
            Some(step) if step.is("comment") => ViaPart::Comment,
            Some(step) if step.is("params") => ViaPart::Param(steps.name()?.into()),
            Some(step) => {
                let known = ["branch", "received", "rport", "i", "alias"];
                let word = known.into_iter().find(|word| step.is(word));
                ViaPart::Param(word.ok_or_else(|| steps.unknown())?.as_bytes().into())
            }
        };
        Ok(ViaPath { place, part })
    }
}

fn part<'a>(via: &Via<'a>, part: &ViaPart) -> Option<&'a [u8]> {
    let protocol = via.protocol();
    let slash = protocol.iter().position(|byte| *byte == b'/');
    Some(match part {
        ViaPart::Whole => via.raw(),
        ViaPart::Name => kcc_sip::token::trim(protocol.get(..slash?)?),
        ViaPart::Version => kcc_sip::token::trim(protocol.get(slash? + 1..)?),
        ViaPart::Transport => via.transport(),
        ViaPart::Host => via.host(),
        ViaPart::Port => via.port().map_or(&[][..], |_| {
            let rest = via.sent_by().get(via.host().len()..).unwrap_or_default();
            kcc_sip::token::trim(rest.strip_prefix(b":").unwrap_or(rest))
        }),
        ViaPart::Comment => {
            let raw = via.raw().strip_suffix(b")").unwrap_or_default();
            let open = raw.iter().rposition(|byte| *byte == b'(');
            open.and_then(|open| raw.get(open + 1..))
                .unwrap_or_default()
        }
        ViaPart::Param(name) => via.params().get(name)?,
    })
}

/// The part that the path leads to.
fn read<'a>(run: &'a Run, path: &ViaPath) -> Option<&'a [u8]> {
    let mut vias = run.message.vias();
    let via = match path.place {
        1 => run.message.top_via(),
        ..=-1 => vias.last(),
        n => vias.nth(usize::try_from(n).ok()?.checked_sub(1)?),
    };
    part(&via?, &path.part)
}

/// Selects of Via.
#[kcc_macros::part(module = "core")]
pub mod exports {
    use super::{ViaPath, read};
    use crate::declare::Const;
    use crate::run::Run;
    use crate::select::Below;

    /// A Via: the first, or with `[n]` the one at that place, from 1; a negative place is the last.
    ///
    /// Parts: `name`, `version`, `transport`, `host`, `port` (empty where none is written),
    /// `comment`, `branch`, `received`, `rport`, `i`, `alias`, `params.name`.
    ///
    /// ```cfg
    /// if (@via[-1].host == "192.0.2.1") exit;
    /// ```
    #[pv(name = "@via", aliases("@v"))]
    fn via<'a>(run: &'a mut Run, path: Const<Below<ViaPath>>) -> Option<&'a [u8]> {
        read(run, &path.0)
    }
}
