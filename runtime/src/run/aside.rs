//! Blocks that run in the middle of another block's statement: branch routes, `onsend_route`, the
//! event routes of messages made here.
//!
//! **Invariant:** the statement goes on as if nothing had run in between, but for what both share:
//! `$avp`, the transaction, and the message flags where the message is the same.

use bytes::Bytes;
use kcc_sip::Message;

use crate::abi::{Pair, status};
use crate::declare::{Event, Routes};
use crate::message::Edits;
use crate::run::{Run, Source};
use crate::transport::Destination;

/// A message that is about to be sent.
#[derive(Clone, Debug)]
pub struct Sending {
    /// Where it goes.
    pub destination: Destination,
    /// Its bytes.
    pub data: Bytes,
}

impl Run {
    /// Runs block `route` in the middle of the block that runs.
    pub(crate) fn enter_within(&mut self, kind: Routes, route: u32) -> Pair {
        let outer = self.kind;
        let (depth, flags, place) = (self.head.depth, self.head.script_flags, self.head.place);
        self.kind = kind;
        self.head.script_flags = 0;
        let outcome = self.call(route);
        self.kind = outer;
        (self.head.depth, self.head.script_flags, self.head.place) = (depth, flags, place);
        outcome
    }

    /// The block `onsend_route`, where the message in hand is to be shown to it before it goes out.
    pub(crate) fn onsend(&self) -> Option<u32> {
        let onsend = self.program.routes().onsend?;
        (self.message.is_request() || self.program.settings.onsend_route_reply).then_some(onsend)
    }

    /// Runs `onsend_route` for the message in hand, which goes out as `data`; false where the block
    /// drops it.
    pub(crate) fn run_onsend(&mut self, route: u32, destination: Destination, data: Bytes) -> bool {
        let outer = self.sending.replace(Sending { destination, data });
        let branch = self.branch.take();
        let outcome = self.enter_within(Routes::ONSEND, route);
        self.sending = outer;
        self.branch = branch;
        outcome.status != status::DROP
    }

    /// Raises `event` with `message`, made here and on its way to `destination`, as the message in
    /// hand; `message` is not called where no block is for it.
    pub fn raise_sent(
        &mut self,
        event: &Event,
        destination: Destination,
        message: impl FnOnce() -> Option<Bytes>,
    ) {
        let Some(route) = self.program.event(event) else {
            return;
        };
        // A message that such a block sends raises nothing.
        if self.sending.is_some() {
            return;
        }
        let Some((data, message)) = message().and_then(|data| {
            let message = Message::parse(data.clone()).ok()?;
            Some((data, message))
        }) else {
            return;
        };
        self.sending = Some(Sending { destination, data });
        self.with_message(message, Source::default(), |run| {
            run.enter_within(Routes::EVENT, route);
        });
        self.sending = None;
    }

    /// Does `work` with another message in hand, which has flags, edits and a target of its own.
    pub(crate) fn with_message<T>(
        &mut self,
        message: Message,
        source: Source,
        work: impl FnOnce(&mut Run) -> T,
    ) -> T {
        let edits = std::mem::replace(&mut self.edits, Edits::new());
        let branch_edits = std::mem::replace(&mut self.branch_edits, Edits::new());
        let target = std::mem::take(&mut self.target);
        let message = std::mem::replace(&mut self.message, message);
        let source = std::mem::replace(&mut self.source, source);
        let flags = std::mem::take(&mut self.head.message_flags);
        self.look_at_message();
        let done = work(self);
        (self.edits, self.branch_edits, self.target) = (edits, branch_edits, target);
        // Values of the statement that goes on may lie in its message, not in that of `work`.
        (self.message, self.source) = (message, source);
        self.head.message_flags = flags;
        self.look_at_message();
        done
    }
}
