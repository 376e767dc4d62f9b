//! TLS over streams (RFC 3261 §26.2, RFC 8446): profiles, handshakes, what they agreed on.
//!
//! rustls does the work. A profile says with which certificate this side shows itself and whom it
//! trusts; which one a connection uses follows from the address and, for what peers open, from the
//! name they ask for (SNI). The profiles can be replaced while connections go on: those keep what
//! they agreed on.

mod profile;
mod verify;

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::Acceptor;
use rustls::{ClientConfig, CommonState, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, TlsStream};

pub use profile::{Profile, ProfilePlace, Role, TlsError, Versions};

/// All profiles of a server.
#[derive(Debug)]
pub struct Tls {
    profiles: ArcSwap<Profiles>,
}

#[derive(Debug)]
struct Profiles {
    server: Vec<Entry<ServerConfig>>,
    client: Vec<Entry<ClientConfig>>,
}

/// A profile, ready for handshakes.
#[derive(Debug)]
struct Entry<T> {
    profile: Profile,
    config: Arc<T>,
    /// The certificate that this side shows, as it was read with the profile.
    own: Option<CertificateDer<'static>>,
}

/// What a handshake agreed on.
#[derive(Clone, Debug)]
pub struct Security {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, by its IANA name.
    pub cipher: String,
    /// The length of its key, in bits.
    pub bits: u16,
    /// The name that the side that opened the connection asked for.
    pub server_name: Option<String>,
    /// The certificates that the peer showed, its own first.
    pub peer: Vec<CertificateDer<'static>>,
    /// The certificate that this side has; it may not have been asked for.
    pub own: Option<CertificateDer<'static>>,
    /// What a module made of the peer's certificate when it was first asked about it.
    pub peer_read: OnceLock<Option<Arc<dyn Any + Send + Sync>>>,
    /// What a module made of this side's.
    pub own_read: OnceLock<Option<Arc<dyn Any + Send + Sync>>>,
    /// Whether the peer's certificate was checked against those that are trusted.
    pub verified: bool,
}

impl Tls {
    /// Reads what `profiles` name. The first of those that fit a connection is used; one with
    /// [`ProfilePlace::Default`] last, which is made up for clients where it is lacking.
    ///
    /// # Errors
    /// A file that cannot be read, or what does not fit together.
    pub fn new(profiles: &[Profile]) -> Result<Tls, TlsError> {
        Ok(Tls {
            profiles: ArcSwap::from_pointee(Profiles::new(profiles)?),
        })
    }

    /// Reads `profiles` anew for the connections to come. After an error nothing has changed.
    ///
    /// # Errors
    /// As of [`Tls::new`].
    pub fn reload(&self, profiles: &[Profile]) -> Result<(), TlsError> {
        self.profiles.store(Arc::new(Profiles::new(profiles)?));
        Ok(())
    }

    /// The handshake for a stream that a peer opened to `local`.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        local: SocketAddr,
    ) -> io::Result<(TlsStream<S>, Security)> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let name = start.client_hello().server_name().map(str::to_owned);
        let profiles = self.profiles.load_full();
        let entry = find(&profiles.server, local, name.as_deref())
            .ok_or_else(|| io::Error::other("no profile for this address"))?;
        let stream = start.into_stream(entry.config.clone()).await?;
        let security = Security::of(stream.get_ref().1, entry, name);
        Ok((TlsStream::Server(stream), security))
    }

    /// The handshake for a stream that this side opened to `peer`.
    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        peer: SocketAddr,
    ) -> io::Result<(TlsStream<S>, Security)> {
        let profiles = self.profiles.load_full();
        let entry = find(&profiles.client, peer, None)
            .ok_or_else(|| io::Error::other("no profile for this address"))?;
        let name = match &entry.profile.server_name {
            Some(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
            None => peer.ip().into(),
        };
        let connector = TlsConnector::from(entry.config.clone());
        let stream = connector.connect(name, stream).await?;
        let asked = entry.profile.server_name.clone();
        let security = Security::of(stream.get_ref().1, entry, asked);
        Ok((TlsStream::Client(stream), security))
    }
}

impl Profiles {
    fn new(profiles: &[Profile]) -> Result<Profiles, TlsError> {
        let of = |role| profiles.iter().filter(move |p| p.role == role).cloned();
        let server = of(Role::Server)
            .map(|profile| {
                Ok(Entry {
                    config: profile.server()?,
                    own: profile.own_certificate()?,
                    profile,
                })
            })
            .collect::<Result<Vec<_>, TlsError>>()?;
        let default = profiles
            .iter()
            .any(|p| p.role == Role::Client && p.place == ProfilePlace::Default);
        let client = of(Role::Client)
            .chain((!default).then(|| Profile::new(Role::Client, ProfilePlace::Default)))
            .map(|profile| {
                Ok(Entry {
                    config: profile.client()?,
                    own: profile.own_certificate()?,
                    profile,
                })
            })
            .collect::<Result<Vec<_>, TlsError>>()?;
        Ok(Profiles { server, client })
    }
}

/// The profile for `address` and the name asked for.
fn find<'a, T>(
    entries: &'a [Entry<T>],
    address: SocketAddr,
    name: Option<&str>,
) -> Option<&'a Entry<T>> {
    entries
        .iter()
        .find(|e| e.profile.fits(address, name))
        .or_else(|| {
            entries
                .iter()
                .find(|e| e.profile.place == ProfilePlace::Default)
        })
}

impl Security {
    fn of<T>(state: &CommonState, entry: &Entry<T>, server_name: Option<String>) -> Security {
        let suite = state.negotiated_cipher_suite();
        let name = suite.map(|s| format!("{:?}", s.suite()).replacen("TLS13", "TLS", 1));
        let cipher = name.unwrap_or_default();
        Security {
            version: match state.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            },
            bits: if cipher.contains("AES_128") { 128 } else { 256 },
            cipher,
            server_name,
            peer: state
                .peer_certificates()
                .map(|chain| chain.iter().map(|c| c.clone().into_owned()).collect())
                .unwrap_or_default(),
            own: entry.own.clone(),
            peer_read: OnceLock::new(),
            own_read: OnceLock::new(),
            verified: entry.profile.verifies() && state.peer_certificates().is_some(),
        }
    }
}

#[cfg(test)]
mod tests;
