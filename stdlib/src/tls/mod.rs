//! Kamailio's `tls`: profiles for SIP over TLS, from parameters or from a file of their own.

mod certificate;
mod profiles;
mod suite;
mod variables;

use std::sync::Arc;

use kcc_macros::module;
use kcc_runtime::program::Program;
use kcc_runtime::run::Run;
use kcc_runtime::server::Server;
use kcc_runtime::transport::{Profile, Security, Tls};

/// TLS for SIP: certificates, whom to trust, which name gets which certificate.
///
/// TLS 1.2 and 1.3 are spoken; older versions are not, whatever `tls_method` says. A `listen` of
/// TLS needs `enable_tls=yes` and a certificate. The certificates are read again on SIGHUP, for the
/// connections to come; those that are open stay.
///
/// ```cfg
/// #!ifdef WITH_TLS
/// enable_tls=yes
/// listen=tls:127.0.0.1:5061
/// #!endif
/// loadmodule "tls.so"
/// modparam("tls", "config", "/etc/kamailio/tls.cfg")
/// request_route {
///     exit;
/// }
/// ```
#[module(name = "tls", parts(super::variables::exports::PART))]
pub mod exports {
    use std::sync::Arc;

    use kcc_runtime::init::Init;
    use kcc_runtime::run::Run;
    use kcc_runtime::transport::Tls;

    use super::{profiles, reload, security, suite};

    /// Parameters of `tls`.
    #[params]
    pub struct Params {
        /// A file of trusted certificates.
        #[param]
        pub ca_list: Option<Vec<u8>>,
        /// A folder of files with trusted certificates.
        #[param]
        pub ca_path: Option<Vec<u8>>,
        /// A file with the server's certificate, and those between it and the root.
        #[param(default = b"kamailio-selfsigned.pem".to_vec())]
        pub certificate: Vec<u8>,
        /// Suites by OpenSSL's names, joined by colons; all that there are without it.
        #[param]
        pub cipher_list: Option<Vec<u8>>,
        /// A file with profiles; the other parameters then say nothing.
        #[param]
        pub config: Option<Vec<u8>>,
        /// A file of revoked certificates.
        #[param]
        pub crl: Option<Vec<u8>>,
        /// A file with the key of `certificate`, not encrypted.
        #[param(default = b"kamailio-selfsigned.key".to_vec())]
        pub private_key: Vec<u8>,
        /// Refuse peers without a certificate.
        #[param(default = false)]
        pub require_certificate: bool,
        /// The name that this side asks for as a client.
        #[param]
        pub server_name: Option<Vec<u8>>,
        /// Versions: `TLSv1.2`, `TLSv1.3`, each with `+` for it and later ones. Older ones stand for
        /// `TLSv1.2+`.
        #[param(default = b"TLSv1.2+".to_vec())]
        pub tls_method: Vec<u8>,
        /// Check the certificates of peers that show one.
        #[param(default = false)]
        pub verify_certificate: bool,
        /// `off`, `optional`: check the certificate of a client that shows one, or `on`: refuse a
        /// client without one. It decides over the two parameters of its kind.
        #[param]
        pub verify_client: Option<Vec<u8>>,
        /// Taken, and of no effect: chains are checked to their root.
        #[param]
        pub verify_depth: Option<i64>,
        /// Taken, and of no effect: `tls_handshake_timeout` and `tcp_connection_lifetime` limit.
        #[param]
        pub connection_timeout: Option<i64>,
        /// Taken, and of no effect: `tcp_conn_wq_max` limits what waits to be written.
        #[param]
        pub con_ct_wq_max: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub ct_wq_blk_size: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub ct_wq_max: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub init_mode: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub low_mem_threshold1: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub low_mem_threshold2: Option<i64>,
        /// Taken, and of no effect: there is no renegotiation.
        #[param]
        pub renegotiation: Option<i64>,
        /// Taken, and of no effect: the peer is always told of the end.
        #[param]
        pub send_close_notify: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub session_cache: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub session_id: Option<Vec<u8>>,
        /// Taken, and of no effect.
        #[param]
        pub ssl_freelist_max_len: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub ssl_max_send_fragment: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub ssl_read_ahead: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub ssl_release_buffers: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub tls_debug: Option<i64>,
        /// Taken, and of no effect: there is no compression.
        #[param]
        pub tls_disable_compression: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub tls_force_run: Option<i64>,
        /// Taken, and of no effect.
        #[param]
        pub tls_log: Option<i64>,
        /// Refused: keys lie in files.
        #[param]
        pub engine: Option<Vec<u8>>,
        /// Refused.
        #[param]
        pub engine_algorithms: Option<Vec<u8>>,
        /// Refused.
        #[param]
        pub engine_config: Option<Vec<u8>>,
        /// Refused: keys of connections are not written to files.
        #[param]
        pub keylog_file: Option<Vec<u8>>,
        /// Refused: keys are not encrypted.
        #[param]
        pub key_password_mode: Option<i64>,
        /// Refused: keys are not encrypted.
        #[param]
        pub private_key_password: Option<Vec<u8>>,
        /// Refused: chance comes from the system.
        #[param]
        pub rand_engine: Option<Vec<u8>>,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        profiles::without_effect(init.program.params())?;
        if !init.program.settings.enable_tls {
            return Ok(());
        }
        let found = profiles::of(init.program)?;
        let tls = Tls::new(&found).map_err(|error| error.to_string())?;
        init.shared.provide(Arc::new(tls));
        init.reloads.push(reload);
        Ok(())
    }

    /// Whether the request came over TLS from a peer whose certificate was checked.
    ///
    /// True if so; -1 without TLS, without a certificate, or where certificates are not checked.
    ///
    /// ```cfg
    /// if (!is_peer_verified()) {
    ///     sl_send_reply("403", "Show a certificate");
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request")]
    fn is_peer_verified(run: &mut Run) -> bool {
        security(run).is_some_and(|security| security.verified)
    }

    /// Version of TLS that the message came over, `TLSv1.3`.
    ///
    /// ```cfg
    /// xlog("$tls_version\n");
    /// ```
    #[pv(name = "tls_version")]
    fn version(run: &mut Run) -> Option<&'static str> {
        security(run).map(|security| security.version)
    }

    /// Cipher suite of the connection that the message came over, by OpenSSL's name:
    /// `ECDHE-RSA-AES256-GCM-SHA384`.
    ///
    /// ```cfg
    /// xlog("$tls_cipher_info\n");
    /// ```
    #[pv(name = "tls_cipher_info")]
    fn cipher(run: &mut Run) -> Option<kcc_runtime::value::Val> {
        let security = security(run)?;
        Some(run.text(suite::openssl(&security.cipher).as_bytes()))
    }

    /// The cipher suite in the words of `openssl ciphers -v`; it ends with a line feed.
    ///
    /// ```cfg
    /// xlog("$tls_description");
    /// ```
    #[pv(name = "tls_description")]
    fn description(run: &mut Run) -> Option<kcc_runtime::value::Val> {
        let security = security(run)?;
        let text = suite::description(&security.cipher, security.version);
        Some(run.text(text.as_bytes()))
    }

    /// Length of the key of the cipher, in bits.
    ///
    /// ```cfg
    /// if ($tls_cipher_bits < 256) xlog("short key\n");
    /// ```
    #[pv(name = "tls_cipher_bits")]
    fn bits(run: &mut Run) -> Option<i64> {
        security(run).map(|security| i64::from(security.bits))
    }

    /// The name that the peer asked for when it opened the connection (SNI).
    ///
    /// ```cfg
    /// if ($tls_peer_server_name == "sip.example.com") xlog("ours\n");
    /// ```
    #[pv(name = "tls_peer_server_name")]
    fn server_name(run: &mut Run) -> Option<kcc_runtime::value::Val> {
        let security = security(run)?;
        Some(run.text(security.server_name.as_ref()?.as_bytes()))
    }

    /// 1 if the peer's certificate was checked, else 0; null without TLS.
    ///
    /// ```cfg
    /// if ($tls_peer_verified == 1) xlog("verified\n");
    /// ```
    #[pv(name = "tls_peer_verified")]
    fn peer_verified(run: &mut Run) -> Option<i64> {
        security(run).map(|security| i64::from(security.verified))
    }
}

/// What the handshake of the connection agreed on that the message came over.
fn security(run: &Run) -> Option<Arc<Security>> {
    let connection = run.source.connection?;
    run.worker().network.security(connection)
}

/// Reads the profiles and what they name again.
fn reload(server: &Server) -> Result<(), String> {
    let Some(tls) = server.shared.get::<Arc<Tls>>() else {
        return Ok(());
    };
    let found: Vec<Profile> = profiles::of(&server.program)?;
    tls.reload(&found)
        .map_err(|error| format!("the TLS profiles stay as they were: {error}"))
}

/// The folder that relative names of files start from: that of the configuration.
fn folder(program: &Program) -> std::path::PathBuf {
    let main = program.manifest.files.first();
    let folder = main.and_then(|file| std::path::Path::new(file).parent());
    folder.map(Into::into).unwrap_or_default()
}
