//! A profile: what one side of TLS shows and trusts, from files in PEM.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::verify::{Anyone, ChainOnly};

/// Which side of connections a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Peers open them.
    Server,
    /// This side opens them.
    Client,
}

/// Which connections a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfilePlace {
    /// Those that no other fits.
    Default,
    /// Those to any address, by the name asked for.
    Any,
    /// Those to this address of this side's, or of the peer's for a client. Port 0 is any port.
    Address(SocketAddr),
}

/// The versions that a profile allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 alone.
    Tls12,
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12Plus,
    /// TLS 1.3 alone.
    Tls13,
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The side.
    pub role: Role,
    /// Its connections.
    pub place: ProfilePlace,
    /// Its versions.
    pub versions: Versions,
    /// A file with this side's certificate and those between it and the root.
    pub certificate: Option<PathBuf>,
    /// A file with the key, not encrypted.
    pub private_key: Option<PathBuf>,
    /// A file with the certificates that are trusted.
    pub ca_list: Option<PathBuf>,
    /// A folder with files of trusted certificates.
    pub ca_path: Option<PathBuf>,
    /// A file with revoked certificates.
    pub crl: Option<PathBuf>,
    /// Check the peer's certificate, if it shows one.
    pub verify_certificate: bool,
    /// Refuse a peer without a certificate.
    pub require_certificate: bool,
    /// The name asked for: by peers, of a server; by this side, as a client.
    pub server_name: Option<String>,
    /// 0: only that name; 1: it and those below it; 2: only those below it.
    pub server_name_mode: u8,
    /// The number that scripts choose it by.
    pub server_id: Option<String>,
    /// Suites by OpenSSL's names, joined by colons; all without it.
    pub cipher_list: Option<String>,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages say it
pub enum TlsError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}: {message}", path.display())]
    Pem { path: PathBuf, message: String },
    #[error("{} holds no {what}", path.display())]
    Empty { path: PathBuf, what: &'static str },
    #[error("a server needs a certificate and a private_key")]
    NoCertificate,
    #[error("a certificate needs a private_key, and a private_key a certificate")]
    Half,
    #[error("verify_certificate and require_certificate need a ca_list or ca_path")]
    NoRoots,
    #[error("none of the ciphers in \"{0}\" is supported")]
    NoCipher(String),
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    #[error("{0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// OpenSSL's names of the suites that there are, and IANA's as rustls spells them.
const CIPHERS: [(&str, &str); 9] = [
    ("TLS_AES_256_GCM_SHA384", "TLS13_AES_256_GCM_SHA384"),
    ("TLS_AES_128_GCM_SHA256", "TLS13_AES_128_GCM_SHA256"),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS13_CHACHA20_POLY1305_SHA256",
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
];

impl Profile {
    /// A profile that shows nothing and trusts everyone.
    pub fn new(role: Role, place: ProfilePlace) -> Profile {
        Profile {
            role,
            place,
            versions: Versions::default(),
            certificate: None,
            private_key: None,
            ca_list: None,
            ca_path: None,
            crl: None,
            verify_certificate: false,
            require_certificate: false,
            server_name: None,
            server_name_mode: 0,
            server_id: None,
            cipher_list: None,
        }
    }

    /// Whether the profile is for a connection at `address` for which `name` was asked.
    pub(super) fn fits(&self, address: SocketAddr, name: Option<&str>) -> bool {
        let own = self.server_name.as_deref();
        let named = match (own, name) {
            (Some(own), Some(name)) => self.serves(own, name),
            _ => false,
        };
        match self.place {
            ProfilePlace::Default => false,
            ProfilePlace::Any => named,
            ProfilePlace::Address(at) => {
                let here =
                    at.ip() == address.ip() && (at.port() == 0 || at.port() == address.port());
                here && (named || own.is_none() || name.is_none())
            }
        }
    }

    fn serves(&self, own: &str, name: &str) -> bool {
        let below = || {
            let cut = name.len().checked_sub(own.len() + 1);
            cut.and_then(|at| name.get(at..))
                .and_then(|end| end.strip_prefix('.'))
                .is_some_and(|end| end.eq_ignore_ascii_case(own))
        };
        let same = own.eq_ignore_ascii_case(name);
        match self.server_name_mode {
            0 => same,
            1 => same || below(),
            _ => below(),
        }
    }

    /// Whether the peer's certificate is checked.
    pub(super) fn verifies(&self) -> bool {
        self.verify_certificate || self.require_certificate
    }

    /// This side's own certificate, from its file.
    pub(super) fn own_certificate(&self) -> Result<Option<CertificateDer<'static>>, TlsError> {
        let chain = self.certificate.as_deref().map(certificates).transpose()?;
        Ok(chain.and_then(|chain| chain.into_iter().next()))
    }

    /// What handshakes as a server need.
    pub(super) fn server(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = self.provider()?;
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.versions())?;
        let builder = if self.verifies() {
            let roots = Arc::new(self.roots()?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .with_crls(self.revoked()?);
            builder.with_client_cert_verifier(match self.require_certificate {
                true => verifier.build()?,
                false => verifier.allow_unauthenticated().build()?,
            })
        } else {
            builder.with_no_client_auth()
        };
        let (chain, key) = self.identity()?.ok_or(TlsError::NoCertificate)?;
        Ok(Arc::new(builder.with_single_cert(chain, key)?))
    }

    /// What handshakes as a client need. The certificate of the peer is checked against those that
    /// are trusted, and not against a name: SIP's next hop is an address here.
    pub(super) fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = self.provider()?;
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.versions())?
            .dangerous();
        let builder = if self.verifies() {
            let roots = Arc::new(self.roots()?);
            builder.with_custom_certificate_verifier(Arc::new(ChainOnly::new(
                roots,
                self.revoked()?,
                provider,
            )?))
        } else {
            builder.with_custom_certificate_verifier(Arc::new(Anyone::new(&provider)))
        };
        Ok(Arc::new(match self.identity()? {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
            None => builder.with_no_client_auth(),
        }))
    }

    fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        static TLS13: [&SupportedProtocolVersion; 1] = [&version::TLS13];
        static TLS12: [&SupportedProtocolVersion; 1] = [&version::TLS12];
        static BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
        match self.versions {
            Versions::Tls12 => &TLS12,
            Versions::Tls12Plus => &BOTH,
            Versions::Tls13 => &TLS13,
        }
    }

    /// The suites of `cipher_list`; groups like `HIGH` and exclusions say nothing here, since all
    /// suites that there are belong to the strong ones.
    fn provider(&self) -> Result<Arc<CryptoProvider>, TlsError> {
        let mut provider = ring::default_provider();
        let Some(list) = &self.cipher_list else {
            return Ok(Arc::new(provider));
        };
        let wanted: Vec<&str> = list
            .split([':', ',', ' '])
            .filter_map(|name| CIPHERS.iter().find(|(openssl, _)| *openssl == name))
            .map(|(_, iana)| *iana)
            .collect();
        let groups = [
            "ALL", "DEFAULT", "HIGH", "EECDH", "ECDHE", "AESGCM", "CHACHA20",
        ];
        let grouped = list
            .split([':', ',', ' ', '+'])
            .any(|name| groups.contains(&name));
        if wanted.is_empty() && !grouped {
            return Err(TlsError::NoCipher(list.clone()));
        }
        if !grouped {
            // TLS 1.3 has a list of its own in OpenSSL, too.
            let listed_13 = wanted.iter().any(|name| name.starts_with("TLS13"));
            provider.cipher_suites.retain(|suite| {
                let name = format!("{:?}", suite.suite());
                wanted.contains(&name.as_str()) || (!listed_13 && name.starts_with("TLS13"))
            });
        }
        Ok(Arc::new(provider))
    }

    fn identity(
        &self,
    ) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, TlsError> {
        match (&self.certificate, &self.private_key) {
            (Some(certificate), Some(key)) => {
                Ok(Some((certificates(certificate)?, private_key(key)?)))
            }
            (None, None) => Ok(None),
            _ => Err(TlsError::Half),
        }
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(file) = &self.ca_list {
            for certificate in certificates(file)? {
                roots.add(certificate)?;
            }
        }
        if let Some(folder) = &self.ca_path {
            let failed = |error| TlsError::File {
                path: folder.clone(),
                error,
            };
            for entry in fs::read_dir(folder).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                // A folder of certificates may hold other things.
                if let Ok(found) = certificates(&path) {
                    roots.add_parsable_certificates(found);
                }
            }
        }
        match roots.is_empty() {
            true => Err(TlsError::NoRoots),
            false => Ok(roots),
        }
    }

    fn revoked(&self) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
        let Some(path) = &self.crl else {
            return Ok(Vec::new());
        };
        read_pem(path, "revocation list")
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    read_pem(path, "certificate")
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => TlsError::Empty {
            path: path.to_owned(),
            what: "private key that is not encrypted",
        },
        other => TlsError::Pem {
            path: path.to_owned(),
            message: other.to_string(),
        },
    })
}

fn read_pem<T: PemObject>(path: &Path, what: &'static str) -> Result<Vec<T>, TlsError> {
    let text = read(path)?;
    let items = T::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Pem {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
    match items.is_empty() {
        true => Err(TlsError::Empty {
            path: path.to_owned(),
            what,
        }),
        false => Ok(items),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::File {
        path: path.to_owned(),
        error,
    })
}
