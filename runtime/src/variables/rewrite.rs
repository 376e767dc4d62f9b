//! Rewriting the Request-URI in hand: what `$rU`, `rewritehost()` and their like have in common.

use kcc_sip::Uri;
use kcc_sip::uri::UriParts;

use super::Refused;
use crate::run::Run;

/// A change of one part of the Request-URI; the other parts stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriChange<'a> {
    /// The user part; empty text removes it together with the password.
    User(&'a [u8]),
    /// The host; the port stays.
    Host(&'a [u8]),
    /// The port; `None` removes it.
    Port(Option<u16>),
}

impl Run {
    /// Puts `text` in the place of the Request-URI, unchecked, as Kamailio does.
    ///
    /// # Errors
    /// The message is a reply.
    pub fn set_uri(&mut self, text: &[u8]) -> Result<(), Refused> {
        if !self.message.is_request() {
            return Err(Refused::Reply);
        }
        self.target.uri.set(text);
        Ok(())
    }

    /// Changes a part of the Request-URI.
    ///
    /// # Errors
    /// The message is a reply, or the Request-URI cannot be parsed.
    pub fn rewrite_uri(&mut self, change: UriChange<'_>) -> Result<(), Refused> {
        if !self.message.is_request() {
            return Err(Refused::Reply);
        }
        let target = &mut self.target.uri;
        let now = target.get().unwrap_or_else(|| self.message.request_uri());
        let copy = self.scratch.alloc(now.len()).ok_or(Refused::TooLarge)?;
        copy.copy_from_slice(now);
        let mut parts = UriParts::from(Uri::parse(copy).map_err(|_| Refused::BadUri)?);
        match change {
            UriChange::User([]) => (parts.user, parts.password) = (None, None),
            UriChange::User(user) => parts.user = Some(user),
            UriChange::Host(host) => parts.host = host,
            UriChange::Port(port) => parts.port = port,
        }
        parts.write(target.edit());
        Ok(())
    }
}
