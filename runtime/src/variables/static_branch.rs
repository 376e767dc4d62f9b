//! `$sbranch`: a branch that is put together before it is added to the destinations
//! (`sbranch_append`) or made the first (`sbranch_set_ruri`).

use crate::run::{Local, Target};

/// The branch in hand; it lasts as long as the message (in Kamailio: until `sbranch_reset()`).
#[derive(Default)]
pub struct StaticBranch {
    /// Its parts.
    pub target: Target,
}

impl Local for StaticBranch {
    fn reset(&mut self) {
        self.target.clear();
    }
}

/// The static branch.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Const;
    use crate::run::Run;
    use crate::value::{Val, Value};
    use crate::variables::Refused;
    use crate::variables::branches::{BranchKey, assign, part, socket_of};

    use super::StaticBranch;

    /// A part of the branch that is being put together; null where it is unset.
    ///
    /// Keys are those of `$branch`; `count` is 0. `sbranch_append()` adds the branch to the
    /// destinations, `sbranch_set_ruri()` makes it the first, `sbranch_reset()` empties it.
    ///
    /// ```cfg
    /// $sbranch(uri) = "sip:200@192.0.2.7";
    /// $sbranch(flags) = 4;
    /// sbranch_append();
    /// ```
    #[pv(name = "sbranch")]
    fn sbranch(run: &mut Run, key: Const<BranchKey>) -> Option<Val> {
        if *key == BranchKey::Count {
            return Some(Val::int(0));
        }
        let target = &mut run.locals.get::<StaticBranch>().target;
        // Taken out while it is read, and put back.
        let mut target = std::mem::take(target);
        let set = target.uri.get().is_some() || *key != BranchKey::Flags;
        let value = part(run, &mut target, *key).filter(|_| set);
        run.locals.get::<StaticBranch>().target = target;
        value
    }

    #[pv_write("sbranch")]
    fn set_sbranch(run: &mut Run, key: Const<BranchKey>, value: Value) -> Result<(), Refused> {
        let socket = socket_of(run, *key, value)?;
        let target = &mut run.locals.get::<StaticBranch>().target;
        assign(target, *key, value, socket)
    }
}
