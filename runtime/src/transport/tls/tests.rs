//! Handshakes in memory, with certificates made for the test.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder with an authority, certificates that it signed, and another authority.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Files {
        let folder = std::env::temp_dir().join(format!("kcc-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let files = Files(folder);
        let mut authority = None;
        for name in ["other", "ca"] {
            let mut params = CertificateParams::new(vec![]).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
            fs::write(files.path(name), issuer.pem()).unwrap();
            authority = Some(issuer);
        }
        let authority = authority.unwrap();
        for name in ["one.example", "two.example", "client"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            fs::write(files.path(name), certificate.pem()).unwrap();
            fs::write(files.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn profile(&self, role: Role, place: ProfilePlace, identity: &str) -> Profile {
        let mut profile = Profile::new(role, place);
        profile.certificate = Some(self.path(identity));
        profile.private_key = Some(self.path(&format!("{identity}.key")));
        profile
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SERVER: &str = "127.0.0.1:5061";

/// What both sides agree on, when they do.
fn shake(server: &Tls, client: &Tls) -> io::Result<(Security, Security)> {
    let (near, far) = tokio::io::duplex(64 << 10);
    let address: SocketAddr = SERVER.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = async { Ok(server.accept(far, address).await?.1) };
        let client = async {
            use tokio::io::AsyncReadExt;
            let (mut stream, security) = client.connect(near, address).await?;
            // With TLS 1.3 a refusal comes after the client's part of the handshake.
            match stream.read_u8().await {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error),
                _ => Ok(security),
            }
        };
        tokio::try_join!(server, client)
    })
}

fn subject(certificate: Option<&CertificateDer<'_>>, file: &Path) -> bool {
    use rustls::pki_types::pem::PemObject;
    certificate == Some(&CertificateDer::from_pem_file(file).unwrap())
}

#[test]
fn the_name_asked_for_chooses_the_certificate() {
    let files = Files::new("sni");
    let mut two = files.profile(Role::Server, ProfilePlace::Any, "two.example");
    two.server_name = Some("two.example".into());
    two.server_name_mode = 1;
    let one = files.profile(Role::Server, ProfilePlace::Default, "one.example");
    let server = Tls::new(&[two, one]).unwrap();
    for (asked, shown) in [
        (Some("two.example"), "two.example"),
        (Some("a.two.example"), "two.example"),
        (Some("atwo.example"), "one.example"),
        (None, "one.example"),
    ] {
        let mut client = Profile::new(Role::Client, ProfilePlace::Default);
        client.server_name = asked.map(str::to_owned);
        let (at_server, at_client) = shake(&server, &Tls::new(&[client]).unwrap()).unwrap();
        assert!(
            subject(at_client.peer.first(), &files.path(shown)),
            "{asked:?}"
        );
        assert!(subject(at_server.own.as_ref(), &files.path(shown)));
        assert_eq!(at_server.server_name.as_deref(), asked);
        assert!(!at_client.verified && at_server.peer.is_empty());
    }
}

#[test]
fn certificates_are_checked_where_asked() {
    let files = Files::new("verify");
    let mut server = files.profile(Role::Server, ProfilePlace::Default, "one.example");
    server.ca_list = Some(files.path("ca"));
    server.require_certificate = true;
    let server = Tls::new(&[server]).unwrap();
    let shown = |identity: Option<&str>, roots: &str| {
        let mut client = match identity {
            Some(name) => files.profile(Role::Client, ProfilePlace::Default, name),
            None => Profile::new(Role::Client, ProfilePlace::Default),
        };
        client.ca_list = Some(files.path(roots));
        client.verify_certificate = true;
        shake(&server, &Tls::new(&[client]).unwrap())
    };
    let (at_server, at_client) = shown(Some("client"), "ca").unwrap();
    assert!(at_server.verified && at_client.verified);
    assert!(subject(at_server.peer.first(), &files.path("client")));
    assert_eq!(at_client.version, "TLSv1.3");
    assert!(shown(None, "ca").is_err());
    assert!(shown(Some("client"), "other").is_err());
}

#[test]
fn versions_and_ciphers_are_those_of_the_profile() {
    let files = Files::new("cipher");
    let mut server = files.profile(Role::Server, ProfilePlace::Default, "one.example");
    server.versions = Versions::Tls12;
    server.cipher_list = Some("ECDHE-ECDSA-AES128-GCM-SHA256:!aNULL".into());
    let server = Tls::new(&[server]).unwrap();
    let (security, _) = shake(&server, &Tls::new(&[]).unwrap()).unwrap();
    assert_eq!(security.version, "TLSv1.2");
    assert_eq!(security.cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(security.bits, 128);
    let mut newer = Profile::new(Role::Client, ProfilePlace::Default);
    newer.versions = Versions::Tls13;
    assert!(shake(&server, &Tls::new(&[newer]).unwrap()).is_err());
}

#[test]
fn profiles_are_replaced_whole_or_not() {
    let files = Files::new("reload");
    let one = files.profile(Role::Server, ProfilePlace::Default, "one.example");
    let two = files.profile(Role::Server, ProfilePlace::Default, "two.example");
    let broken = files.profile(Role::Server, ProfilePlace::Default, "none.example");
    let (server, client) = (Tls::new(&[one]).unwrap(), Tls::new(&[]).unwrap());
    let shows = |name| {
        let (_, at_client) = shake(&server, &client).unwrap();
        subject(at_client.peer.first(), &files.path(name))
    };
    assert!(shows("one.example"));
    server.reload(&[two]).unwrap();
    assert!(shows("two.example"));
    assert!(server.reload(&[broken]).is_err());
    assert!(shows("two.example"));
}

#[test]
fn a_handshake_reads_no_file() {
    let files = Files::new("read");
    let one = files.profile(Role::Server, ProfilePlace::Default, "one.example");
    let (server, client) = (Tls::new(&[one]).unwrap(), Tls::new(&[]).unwrap());
    fs::copy(files.path("two.example"), files.path("one.example")).unwrap();
    let (at_server, at_client) = shake(&server, &client).unwrap();
    assert!(at_server.own.is_some());
    assert_eq!(at_server.own.as_ref(), at_client.peer.first());
}

#[test]
fn what_does_not_fit_together_is_said() {
    let files = Files::new("errors");
    let whole = files.profile(Role::Server, ProfilePlace::Default, "one.example");
    let refused = |change: &dyn Fn(&mut Profile)| {
        let mut profile = whole.clone();
        change(&mut profile);
        Tls::new(&[profile]).unwrap_err().to_string()
    };
    let message = refused(&|p| p.private_key = None);
    assert!(message.contains("needs a private_key"), "{message}");
    let message = refused(&|p| p.private_key = p.certificate.clone());
    assert!(message.contains("holds no private key"), "{message}");
    let message = refused(&|p| p.verify_certificate = true);
    assert!(message.contains("ca_list"), "{message}");
    let message = refused(&|p| p.cipher_list = Some("RC4-MD5".into()));
    assert!(message.contains("RC4-MD5"), "{message}");
    let message = refused(&|p| p.private_key = Some(files.path("client.key")));
    assert!(!message.is_empty());
}
