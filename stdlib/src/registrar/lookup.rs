//! Finding the contacts of a user: they become the targets of the request in hand.

use std::ops::ControlFlow;

use kcc_runtime::run::{Run, Target};

use crate::usrloc::contact::Contact;
use crate::usrloc::store::{Ids, Store};
use crate::usrloc::table::Table;

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Contacts that take the request.
    Contacts,
    /// No contact.
    Nobody,
    /// Contacts, none of which takes the request's method.
    OtherMethods,
}

impl Found {
    /// What `lookup()` returns.
    pub fn code(self) -> i64 {
        match self {
            Found::Contacts => 1,
            Found::Nobody => -1,
            Found::OtherMethods => -2,
        }
    }
}

/// What the first contact becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The target of the request itself.
    Request,
    /// The branch of this number, which is there already.
    Branch(usize),
    /// A new branch, as the others.
    NewBranch,
}

/// How contacts become targets.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// What the first contact becomes.
    pub first: First,
    /// Further contacts become branches.
    pub more: bool,
    /// The method that a contact must take, as a bit; 0 for any.
    pub method: u32,
}

/// Makes the contacts of `aor` targets of `run`.
pub fn lookup(run: &mut Run, store: &Store, table: Table, aor: &[u8], way: Way, now: u64) -> Found {
    let limit = run.program.settings.branch_limit();
    let found = store.read(table, aor, now, |record| {
        let mut first = way.first;
        let mut found = Found::OtherMethods;
        let takes = |contact: &&Contact| way.method == 0 || contact.methods & way.method != 0;
        let _ = record
            .contacts()
            .iter()
            .filter(takes)
            .try_for_each(|contact| {
                found = Found::Contacts;
                let target = match std::mem::replace(&mut first, First::NewBranch) {
                    First::Request => Some(&mut run.target),
                    First::Branch(n) => run.branches.as_mut_slice().get_mut(n),
                    First::NewBranch if way.more => run.branches.push(limit),
                    First::NewBranch => None,
                };
                match target {
                    Some(target) => {
                        aim(target, contact, &store.ids);
                        ControlFlow::Continue(())
                    }
                    None => ControlFlow::Break(()),
                }
            });
        found
    });
    found.unwrap_or(Found::Nobody)
}

/// Makes `target` lead to `contact`.
pub fn aim(target: &mut Target, contact: &Contact, ids: &Ids) {
    target.uri.set(contact.uri());
    if contact.received().is_empty() {
        target.dst_uri.clear();
    } else {
        target.dst_uri.set(contact.received());
    }
    if contact.path().is_empty() {
        target.path.clear();
    } else {
        target.path.set(contact.path());
    }
    target.socket = contact.socket;
    target.flags = contact.branch_flags;
    target.q = contact.q();
    target.instance.set(contact.instance());
    ids.write(contact.id, target.ruid.edit());
    target.location_ua.set(contact.user_agent());
}
