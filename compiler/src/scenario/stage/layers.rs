//! What lies between an endpoint's connection and its messages: TLS, and WebSocket (RFC 7118).
//!
//! Nobody's certificate is checked: a scenario is about the server's behaviour, and the certificate
//! is made for the run.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::{Buf, BytesMut};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

/// Bytes of an answer to a handshake.
const LARGEST_ANSWER: usize = 8192;

/// A certificate for 127.0.0.1 and `localhost` and its key, made when the first is asked for.
struct Certificate {
    certificate: String,
    key: String,
    der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

/// The certificate of this run.
fn certificate() -> Result<&'static Certificate, String> {
    static MADE: LazyLock<Result<Certificate, String>> = LazyLock::new(|| {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
        Ok(Certificate {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            der: made.cert.der().clone(),
            key_der: made.signing_key.serialize_der(),
        })
    });
    MADE.as_ref().map_err(Clone::clone)
}

/// The files that hold the certificate of this run and its key, written when they are first asked
/// for.
pub fn certificate_files() -> Option<&'static (PathBuf, PathBuf)> {
    FILES.as_ref()
}

static FILES: LazyLock<Option<(PathBuf, PathBuf)>> = LazyLock::new(|| {
    let made = certificate().ok()?;
    let folder = std::env::temp_dir().join(format!("kcc-test-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).ok()?;
    let files = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&files.0, &made.certificate).ok()?;
    std::fs::write(&files.1, &made.key).ok()?;
    WRITTEN.store(true, Relaxed);
    Some(files)
});
static WRITTEN: AtomicBool = AtomicBool::new(false);

/// Removes the files, where they were written.
pub fn remove_certificate_files() {
    if WRITTEN.load(Relaxed)
        && let Some(folder) = FILES.as_ref().and_then(|files| files.0.parent())
    {
        // What is left is in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// TLS on a connection of an endpoint, which opened it or had it opened.
pub async fn secure<S>(stream: S, opened: bool) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    static CLIENT: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    static SERVER: OnceLock<Arc<ServerConfig>> = OnceLock::new();
    if opened {
        let config = match CLIENT.get() {
            Some(config) => config.clone(),
            None => CLIENT.get_or_init(|| Arc::new(client())).clone(),
        };
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        return Ok(TlsStream::Client(stream));
    }
    let config = match SERVER.get() {
        Some(config) => config.clone(),
        None => {
            let made = Arc::new(server().map_err(io::Error::other)?);
            SERVER.get_or_init(|| made).clone()
        }
    };
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    Ok(TlsStream::Server(stream))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[expect(clippy::expect_used)]
fn client() -> ClientConfig {
    let trusting = Arc::new(Trusting(provider()));
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has suites of both versions")
        .dangerous()
        .with_custom_certificate_verifier(trusting)
        .with_no_client_auth()
}

fn server() -> Result<ServerConfig, String> {
    let made = certificate()?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.key_der.clone()));
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(vec![made.der.clone()], key)
        .map_err(|error| error.to_string())
}

/// Takes every certificate.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.0.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// The client's side of a WebSocket.
pub struct Client {
    context: WebSocketContext,
    buffers: Buffers,
}

/// What was read and is to be written.
#[derive(Default)]
struct Buffers {
    input: BytesMut,
    output: Vec<u8>,
}

impl Read for Buffers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = self.input.len().min(buffer.len());
        self.input.split_to(n).copy_to_slice(&mut buffer[..n]);
        Ok(n)
    }
}

impl Write for Buffers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Client {
    /// Opens a WebSocket with the sub-protocol `sip`; the error is what the server answered instead.
    pub async fn open<S>(stream: &mut S) -> Result<Client, BytesMut>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nOrigin: http://localhost\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let mut answer = BytesMut::new();
        if stream.write_all(request.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return Err(answer);
        }
        let end = loop {
            if let Some(at) = memchr::memmem::find(&answer, b"\r\n\r\n") {
                break at + 4;
            }
            let read = stream.read_buf(&mut answer).await;
            if !matches!(read, Ok(1..)) || answer.len() > LARGEST_ANSWER {
                return Err(answer);
            }
        };
        if !answer.starts_with(b"HTTP/1.1 101 ") {
            return Err(answer);
        }
        answer.advance(end);
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(0);
        Ok(Client {
            context: WebSocketContext::new(Role::Client, Some(config)),
            buffers: Buffers {
                input: answer,
                output: Vec::new(),
            },
        })
    }

    /// Where what was read is put.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.buffers.input
    }

    /// Bytes that are to be written.
    pub fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffers.output)
    }

    /// Queues a message.
    pub fn send(&mut self, data: Vec<u8>) {
        let message = match String::from_utf8(data) {
            Ok(text) => Message::text(text),
            Err(error) => Message::binary(error.into_bytes()),
        };
        self.write(message);
    }

    /// Queues a close frame.
    pub fn close(&mut self) {
        self.write(Message::Close(Some(CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        })));
    }

    fn write(&mut self, message: Message) {
        // Memory takes everything; after a close frame nothing is to be sent.
        let _ = self.context.write(&mut self.buffers, message);
        let _ = self.context.flush(&mut self.buffers);
    }

    /// The next message that has arrived whole. A close frame reads as `close CODE REASON`. `None`:
    /// there is none yet. An error: what came is no WebSocket.
    pub fn next(&mut self) -> Result<Option<bytes::Bytes>, ()> {
        loop {
            return Ok(Some(match self.context.read(&mut self.buffers) {
                Ok(Message::Text(text)) => text.into(),
                Ok(Message::Binary(data)) => data,
                Ok(Message::Close(Some(frame))) => {
                    let code = u16::from(frame.code);
                    format!("close {code} {}", frame.reason).into()
                }
                Ok(Message::Close(None)) => "close".into(),
                Ok(_) => continue,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(None);
                }
                Err(_) => return Err(()),
            }));
        }
    }
}
