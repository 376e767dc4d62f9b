//! The variables that tell of the certificates of a connection.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use kcc_runtime::declare::{ConstantError, Index, Parse};
use kcc_runtime::run::Run;
use kcc_runtime::transport::Security;
use kcc_runtime::value::Val;

use super::certificate::{Certificate, Kind, Part};
use super::security;

/// Whose certificate.
#[derive(Clone, Copy)]
pub(super) enum Side {
    My,
    Peer,
}

/// The certificate of `side`, read once a connection.
fn certificate(security: &Security, side: Side) -> Option<Arc<Certificate>> {
    let (der, read) = match side {
        Side::My => (security.own.as_ref()?, &security.own_read),
        Side::Peer => (security.peer.first()?, &security.peer_read),
    };
    let read: &OnceLock<Option<Arc<dyn Any + Send + Sync>>> = read;
    let read = read.get_or_init(|| Some(Arc::new(Certificate::read(der)?)));
    Arc::clone(read.as_ref()?).downcast().ok()
}

/// What `value` takes from the certificate of `side`.
fn show(run: &mut Run, side: Side, value: fn(&Certificate) -> Option<&str>) -> Option<Val> {
    let certificate = certificate(&*security(run)?, side)?;
    Some(run.text(value(&certificate)?.as_bytes()))
}

/// The other name of a kind that `index` means.
fn other_name(run: &mut Run, side: Side, kind: Kind, index: Index) -> Option<Val> {
    let certificate = certificate(&*security(run)?, side)?;
    let names = certificate.names.get(kind as usize)?;
    Some(run.text(names.get(index.among(names.len())?)?.as_bytes()))
}

/// 1 where the peer's certificate was not accepted for the reason that `test` sees.
fn fault(run: &Run, test: impl Fn(&Certificate) -> bool) -> Option<i64> {
    let security = security(run)?;
    let failed = !security.verified
        && certificate(&security, Side::Peer).is_some_and(|certificate| test(&certificate));
    Some(i64::from(failed))
}

fn is_over(certificate: &Certificate) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.is_ok_and(|now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX) > certificate.end)
}

/// The inner names of `$tls(…)`.
pub struct Line(Side, fn(&Certificate) -> Option<&str>);

impl Parse for Line {
    const NAME: &'static str = "tls.line";
    const WHAT: &'static str = "a line of a certificate";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        Ok(match text {
            b"m_issuer_line" => Line(Side::My, |c| Some(&c.issuer.line)),
            b"m_subject_line" => Line(Side::My, |c| Some(&c.subject.line)),
            b"p_issuer_line" => Line(Side::Peer, |c| Some(&c.issuer.line)),
            b"p_subject_line" => Line(Side::Peer, |c| Some(&c.subject.line)),
            _ => {
                return Err(ConstantError::new(
                    "one of these is expected: m_issuer_line m_subject_line p_issuer_line \
                     p_subject_line",
                ));
            }
        })
    }
}

/// Declares variables: texts of a certificate, its other names, and functions as they stand.
macro_rules! family {
    (
        text { $($text:ident = $text_name:tt $text_side:ident $text_doc:tt $value:expr;)* }
        names { $($names:ident = $names_name:tt $names_side:ident $names_doc:tt $kind:ident;)* }
        $($rest:item)*
    ) => {
        /// Variables of certificates.
        #[kcc_macros::part(module = "tls")]
        pub mod exports {
            use kcc_runtime::declare::{Const, Index};
            use kcc_runtime::run::Run;
            use kcc_runtime::value::Val;

            use super::{Kind, Line, Part, Side, fault, is_over, other_name, show};

            $(
                #[doc = $text_doc]
                ///
                /// Null without TLS and without a certificate.
                #[pv(name = $text_name)]
                fn $text(run: &mut Run) -> Option<Val> {
                    show(run, Side::$text_side, $value)
                }
            )*
            $(
                #[doc = $names_doc]
                ///
                /// An index chooses among several, from 0; without one it is the first. Null
                /// without TLS, without a certificate, and without such a name.
                #[pv(name = $names_name)]
                fn $names(run: &mut Run, index: Index) -> Option<Val> {
                    other_name(run, Side::$names_side, Kind::$kind, index)
                }
            )*
            $($rest)*
        }
    };
}

family! {
    text {
        my_issuer_cn = "tls_my_issuer_cn" My "The common name of who signed this side's certificate." |c| c.issuer.part(Part::CommonName);
        my_issuer_country = "tls_my_issuer_country" My "The country of who signed this side's certificate." |c| c.issuer.part(Part::Country);
        my_issuer_locality = "tls_my_issuer_locality" My "The locality of who signed this side's certificate." |c| c.issuer.part(Part::Locality);
        my_issuer_organization = "tls_my_issuer_organization" My "The organization of who signed this side's certificate." |c| c.issuer.part(Part::Organization);
        my_issuer_state = "tls_my_issuer_state" My "The state of who signed this side's certificate." |c| c.issuer.part(Part::State);
        my_issuer_unit = "tls_my_issuer_unit" My "The unit of who signed this side's certificate." |c| c.issuer.part(Part::Unit);
        my_subject_cn = "tls_my_subject_cn" My "The common name of the holder of this side's certificate." |c| c.subject.part(Part::CommonName);
        my_subject_country = "tls_my_subject_country" My "The country of the holder of this side's certificate." |c| c.subject.part(Part::Country);
        my_subject_locality = "tls_my_subject_locality" My "The locality of the holder of this side's certificate." |c| c.subject.part(Part::Locality);
        my_subject_organization = "tls_my_subject_organization" My "The organization of the holder of this side's certificate." |c| c.subject.part(Part::Organization);
        my_subject_state = "tls_my_subject_state" My "The state of the holder of this side's certificate." |c| c.subject.part(Part::State);
        my_subject_unit = "tls_my_subject_unit" My "The unit of the holder of this side's certificate." |c| c.subject.part(Part::Unit);
        my_subject_uid = "tls_my_subject_uid" My "The user's identifier of the holder of this side's certificate." |c| c.subject.part(Part::UserId);
        my_serial = "tls_my_serial" My "The number of this side's certificate, decimal." |c| Some(&c.serial);
        my_version = "tls_my_version" My "The version of this side's certificate as it is encoded: `2` is version 3." |c| Some(&c.version);
        my_raw_cert = "tls_my_raw_cert" My "The whole of this side's certificate, as PEM." |c| Some(&c.pem);
        my_urlencoded_cert = "tls_my_urlencoded_cert" My "The whole of this side's certificate as PEM, escaped as in a URL." |c| Some(&c.escaped);
        peer_issuer_cn = "tls_peer_issuer_cn" Peer "The common name of who signed the peer's certificate." |c| c.issuer.part(Part::CommonName);
        peer_issuer_country = "tls_peer_issuer_country" Peer "The country of who signed the peer's certificate." |c| c.issuer.part(Part::Country);
        peer_issuer_locality = "tls_peer_issuer_locality" Peer "The locality of who signed the peer's certificate." |c| c.issuer.part(Part::Locality);
        peer_issuer_organization = "tls_peer_issuer_organization" Peer "The organization of who signed the peer's certificate." |c| c.issuer.part(Part::Organization);
        peer_issuer_state = "tls_peer_issuer_state" Peer "The state of who signed the peer's certificate." |c| c.issuer.part(Part::State);
        peer_issuer_unit = "tls_peer_issuer_unit" Peer "The unit of who signed the peer's certificate." |c| c.issuer.part(Part::Unit);
        peer_subject_cn = "tls_peer_subject_cn" Peer "The common name of the holder of the peer's certificate." |c| c.subject.part(Part::CommonName);
        peer_subject_country = "tls_peer_subject_country" Peer "The country of the holder of the peer's certificate." |c| c.subject.part(Part::Country);
        peer_subject_locality = "tls_peer_subject_locality" Peer "The locality of the holder of the peer's certificate." |c| c.subject.part(Part::Locality);
        peer_subject_organization = "tls_peer_subject_organization" Peer "The organization of the holder of the peer's certificate." |c| c.subject.part(Part::Organization);
        peer_subject_state = "tls_peer_subject_state" Peer "The state of the holder of the peer's certificate." |c| c.subject.part(Part::State);
        peer_subject_unit = "tls_peer_subject_unit" Peer "The unit of the holder of the peer's certificate." |c| c.subject.part(Part::Unit);
        peer_subject_uid = "tls_peer_subject_uid" Peer "The user's identifier of the holder of the peer's certificate." |c| c.subject.part(Part::UserId);
        peer_serial = "tls_peer_serial" Peer "The number of the peer's certificate, decimal." |c| Some(&c.serial);
        peer_version = "tls_peer_version" Peer "The version of the peer's certificate as it is encoded: `2` is version 3." |c| Some(&c.version);
        peer_raw_cert = "tls_peer_raw_cert" Peer "The whole of the peer's certificate, as PEM." |c| Some(&c.pem);
        peer_urlencoded_cert = "tls_peer_urlencoded_cert" Peer "The whole of the peer's certificate as PEM, escaped as in a URL." |c| Some(&c.escaped);
        peer_not_before = "tls_peer_notBefore" Peer "When the peer's certificate begins, `Nov 24 11:27:11 2026 GMT`." |c| Some(&c.not_before);
        peer_not_after = "tls_peer_notAfter" Peer "When the peer's certificate ends, `Nov 24 11:27:11 2026 GMT`." |c| Some(&c.not_after);
    }
    names {
        my_san_hostname = "tls_my_san_hostname" My "A name of a host that this side's certificate is for, too." Host;
        my_san_uri = "tls_my_san_uri" My "A URI that this side's certificate is for, too." Uri;
        my_san_email = "tls_my_san_email" My "An address of mail that this side's certificate is for, too." Email;
        my_san_ip = "tls_my_san_ip" My "An IP address that this side's certificate is for, too." Ip;
        peer_san_hostname = "tls_peer_san_hostname" Peer "A name of a host that the peer's certificate is for, too." Host;
        peer_san_uri = "tls_peer_san_uri" Peer "A URI that the peer's certificate is for, too." Uri;
        peer_san_email = "tls_peer_san_email" Peer "An address of mail that the peer's certificate is for, too." Email;
        peer_san_ip = "tls_peer_san_ip" Peer "An IP address that the peer's certificate is for, too." Ip;
    }

    /// Null, as in Kamailio: `$tls(m_issuer_line)` has the name.
    #[pv(name = "tls_my_issuer")]
    fn my_issuer(_run: &mut Run) -> Option<Val> {
        None
    }

    /// Null, as in Kamailio: `$tls(m_subject_line)` has the name.
    #[pv(name = "tls_my_subject")]
    fn my_subject(_run: &mut Run) -> Option<Val> {
        None
    }

    /// Null, as in Kamailio: `$tls(p_issuer_line)` has the name.
    #[pv(name = "tls_peer_issuer")]
    fn peer_issuer(_run: &mut Run) -> Option<Val> {
        None
    }

    /// Null, as in Kamailio: `$tls(p_subject_line)` has the name.
    #[pv(name = "tls_peer_subject")]
    fn peer_subject(_run: &mut Run) -> Option<Val> {
        None
    }

    /// A name in a certificate as one line, `/C=DE/O=Example/CN=alice`.
    ///
    /// `m_subject_line` and `m_issuer_line` are of this side's certificate, `p_subject_line` and
    /// `p_issuer_line` of the peer's. Null without TLS and without a certificate.
    ///
    /// ```cfg
    /// if ($tls(p_subject_line) =~ "/O=Example/") xlog("one of ours\n");
    /// ```
    #[pv(name = "tls")]
    fn line(run: &mut Run, line: Const<Line>) -> Option<Val> {
        show(run, line.0, line.1)
    }

    /// 1 if the peer's certificate was not accepted and its time is over, else 0; null without TLS.
    #[pv(name = "tls_peer_expired")]
    fn peer_expired(run: &mut Run) -> Option<i64> {
        fault(run, is_over)
    }

    /// 0: who shows a revoked certificate gets no connection. Null without TLS.
    #[pv(name = "tls_peer_revoked")]
    fn peer_revoked(run: &mut Run) -> Option<i64> {
        fault(run, |_| false)
    }

    /// 1 if the peer's certificate was not accepted and names itself as who signed it, else 0;
    /// null without TLS.
    #[pv(name = "tls_peer_selfsigned")]
    fn peer_selfsigned(run: &mut Run) -> Option<i64> {
        fault(run, |certificate| certificate.self_issued)
    }
}
