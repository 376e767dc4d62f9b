//! Where a request goes: what a script rewrites of it, for the first branch and for further ones.
//!
//! **Invariant:** buffers are kept and used again; a reset target has no meaning left in them.

use crate::transport::SocketId;

/// Text that may be unset, in a buffer that is used again.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    set: bool,
    written: bool,
    text: Vec<u8>,
}

impl Slot {
    /// The text, if set.
    pub fn get(&self) -> Option<&[u8]> {
        self.set.then_some(&self.text)
    }

    /// Sets it to `text`.
    pub fn set(&mut self, text: &[u8]) {
        self.edit().extend_from_slice(text);
    }

    /// Sets it to empty text and lends the buffer, to be written into.
    pub fn edit(&mut self) -> &mut Vec<u8> {
        self.set = true;
        self.written = true;
        self.text.clear();
        &mut self.text
    }

    /// Unsets it.
    pub fn clear(&mut self) {
        self.set = false;
        self.written = false;
    }
}

/// One destination of a request, as the script left it.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The rewritten Request-URI; unset: as received.
    pub uri: Slot,
    /// `$du`: the next hop, where it is not the Request-URI.
    pub dst_uri: Slot,
    /// Path that the contact was registered with: becomes Route.
    pub path: Slot,
    /// `$fs`: the socket to send from.
    pub socket: Option<SocketId>,
    /// Branch flags.
    pub flags: u32,
    /// Preference, 0 to 1000; `None` is unspecified.
    pub q: Option<u16>,
    /// `+sip.instance` of the contact.
    pub instance: Slot,
    /// The contact's record id.
    pub ruid: Slot,
    /// User agent that registered the contact.
    pub location_ua: Slot,
    /// The id of the connection that the contact came on; 0 is none.
    pub connection: i64,
    /// It became a branch already, and is one again only when its URI or next hop is written.
    consumed: bool,
}

impl Target {
    /// Whether it is a branch to relay to: it is none where it was made one before
    /// (`append_branch()`) or failed (in a failure route) and was not written since.
    pub fn is_new(&self) -> bool {
        !self.consumed || self.uri.written || self.dst_uri.written
    }

    /// Notes that it became a branch.
    pub fn consume(&mut self) {
        self.consumed = true;
        self.uri.written = false;
        self.dst_uri.written = false;
    }

    /// Forgets all but the URI.
    pub fn forget_way(&mut self) {
        for slot in [
            &mut self.dst_uri,
            &mut self.path,
            &mut self.instance,
            &mut self.ruid,
            &mut self.location_ua,
        ] {
            slot.clear();
        }
        self.socket = None;
        self.connection = 0;
        self.flags = 0;
        self.q = None;
    }

    /// Forgets everything but the buffers.
    pub fn clear(&mut self) {
        self.consumed = false;
        self.uri.clear();
        self.forget_way();
    }
}

/// Further destinations (`append_branch`), each of its own.
#[derive(Clone, Debug, Default)]
pub struct Branches {
    targets: Vec<Target>,
    len: usize,
}

impl Branches {
    /// The branches.
    pub fn as_slice(&self) -> &[Target] {
        &self.targets[..self.len]
    }

    /// The branches, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [Target] {
        &mut self.targets[..self.len]
    }

    /// Adds a branch and lends it; `None` where there are `limit` already.
    pub fn push(&mut self, limit: usize) -> Option<&mut Target> {
        if self.len >= limit {
            return None;
        }
        if self.len == self.targets.len() {
            self.targets.push(Target::default());
        }
        self.len += 1;
        let target = self.targets.get_mut(self.len - 1)?;
        target.clear();
        Some(target)
    }

    /// Removes branch `n`; false where there is none.
    pub fn remove(&mut self, n: usize) -> bool {
        if n >= self.len {
            return false;
        }
        self.targets[n..self.len].rotate_left(1);
        self.len -= 1;
        true
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_that_is_added_again_starts_clean() {
        let mut branches = Branches::default();
        branches.push(2).unwrap().uri.set(b"sip:a@b");
        branches.push(2).unwrap().flags = 4;
        assert!(branches.push(2).is_none());
        assert!(branches.remove(0));
        assert_eq!(branches.as_slice().len(), 1);
        assert_eq!(branches.as_slice()[0].flags, 4);
        assert!(branches.push(2).unwrap().uri.get().is_none());
        assert!(!branches.remove(2));
    }
}
