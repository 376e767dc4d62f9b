//! The request in hand: its current Request-URI and where it goes.

use kcc_sip::Uri;

use crate::run::Run;

impl Run {
    /// The Request-URI as it stands now; empty in replies.
    pub fn uri(&self) -> &[u8] {
        self.target
            .uri
            .get()
            .unwrap_or_else(|| self.message.request_uri())
    }

    /// The Request-URI, parsed; `None` in replies and where it is malformed.
    pub fn parsed_uri(&self) -> Option<Uri<'_>> {
        Uri::parse(self.uri()).ok()
    }

    /// The next hop: `$du`, else the Request-URI.
    pub fn next_hop(&self) -> &[u8] {
        self.target.dst_uri.get().unwrap_or_else(|| self.uri())
    }
}
