//! The resolver against a small name server on a loopback port.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

use super::{Candidate, Candidates, DnsError, Resolver, Settings};
use crate::transport::Protocol;

const A: u16 = 1;
const SRV: u16 = 33;
const NXDOMAIN: u8 = 3;

/// A record that the server has: owner, type, data.
type Record = (&'static str, u16, Vec<u8>);

fn encode_name(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut out: Vec<u8> = labels
        .flat_map(|label| [&[label.len() as u8][..], label.as_bytes()].concat())
        .collect();
    out.push(0);
    out
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Vec<u8> {
    let numbers = [priority, weight, port].map(u16::to_be_bytes).concat();
    [numbers, encode_name(target)].concat()
}

/// The answer to `question`, with what `zone` has: one question, answers that point to its name.
fn respond(question: &[u8], zone: &[Record]) -> Vec<u8> {
    let name_end = 12 + question[12..].iter().position(|&byte| byte == 0).unwrap() + 1;
    let name = question[12..name_end].to_ascii_lowercase();
    let kind = u16::from_be_bytes([question[name_end], question[name_end + 1]]);
    let known = zone.iter().filter(|(owner, ..)| encode_name(owner) == name);
    let answers: Vec<_> = known.clone().filter(|(_, of, _)| *of == kind).collect();
    let code = if known.count() == 0 { NXDOMAIN } else { 0 };
    let mut out = question[..2].to_vec();
    out.extend([0x85, 0x80 | code, 0, 1, 0, answers.len() as u8, 0, 0, 0, 0]);
    out.extend(&question[12..name_end + 4]);
    for (_, _, data) in answers {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}

fn zone() -> Vec<Record> {
    vec![
        (
            "_sip._udp.example.test",
            SRV,
            srv(20, 0, 5070, "c.example.test"),
        ),
        (
            "_sip._udp.example.test",
            SRV,
            srv(10, 1, 5061, "a.example.test"),
        ),
        (
            "_sip._udp.example.test",
            SRV,
            srv(10, 9, 5062, "b.example.test"),
        ),
        ("_sip._tcp.example.test", SRV, srv(1, 1, 1, ".")),
        ("example.test", A, vec![192, 0, 2, 9]),
        ("a.example.test", A, vec![192, 0, 2, 1]),
        ("b.example.test", A, vec![192, 0, 2, 2]),
        ("c.example.test", A, vec![192, 0, 2, 3]),
    ]
}

/// A server with the zone, or one that never answers, and the settings to ask it.
async fn server(zone: Option<Vec<Record>>) -> Settings {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address: SocketAddr = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if let Some(zone) = &zone {
                let _ = socket
                    .send_to(&respond(&buffer[..length], zone), from)
                    .await;
            }
        }
    });
    Settings {
        retry_time: Some(Duration::from_secs(2)),
        tries: Some(3),
        search_list: false,
        name_servers: vec![address],
        ..Settings::default()
    }
}

fn at(last: u8, port: u16) -> Candidate {
    Candidate {
        ip: Ipv4Addr::new(192, 0, 2, last).into(),
        port,
        transport: Protocol::Udp,
    }
}

fn list(candidates: &[Candidate]) -> Result<Candidates, DnsError> {
    Ok(candidates.into())
}

#[tokio::test]
async fn a_host_without_a_port_is_looked_up_as_srv_first() {
    let resolver = Resolver::with(&server(Some(zone())).await);
    let expected = list(&[at(2, 5062), at(1, 5061), at(3, 5070)]);
    assert_eq!(resolver.locate(b"Example.test", None, None).await, expected);
    // The second time from the cache.
    assert_eq!(
        resolver
            .locate(b"example.test", Some(0), Some(Protocol::Udp))
            .await,
        expected
    );
}

#[tokio::test]
async fn weights_of_equal_priority_share_the_first_place() {
    let settings = Settings {
        srv_load_balancing: true,
        ..server(Some(zone())).await
    };
    let resolver = Resolver::with(&settings);
    let mut firsts = [0; 2];
    for _ in 0..400 {
        let found = resolver.locate(b"example.test", None, None).await.unwrap();
        assert_eq!(found[2], at(3, 5070));
        firsts[usize::from(found[0] == at(2, 5062))] += 1;
    }
    assert!((10..120).contains(&firsts[0]), "{firsts:?}");
}

#[tokio::test]
async fn a_port_or_missing_srv_records_lead_to_a_records() {
    let resolver = Resolver::with(&server(Some(zone())).await);
    assert_eq!(
        resolver.locate(b"example.test", Some(5080), None).await,
        list(&[at(9, 5080)])
    );
    assert_eq!(
        resolver.locate(b"a.example.test", None, None).await,
        list(&[at(1, 5060)])
    );
    let tls = Candidate {
        transport: Protocol::Tls,
        ..at(9, 5061)
    };
    assert_eq!(
        resolver
            .locate(b"example.test", None, Some(Protocol::Tls))
            .await,
        list(&[tls])
    );
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let resolver = Resolver::with(&server(Some(zone())).await);
    let missing = resolver.locate(b"nothing.test", None, None).await;
    assert_eq!(missing, Err(DnsError::NotFound));
    let withdrawn = resolver
        .locate(b"example.test", None, Some(Protocol::Tcp))
        .await;
    assert_eq!(withdrawn, Err(DnsError::NotFound));
    for bad in [&b""[..], b"a b", b"x\0", b"[zz]", b"a..b", &[b'a'; 300]] {
        assert_eq!(
            resolver.locate(bad, None, None).await,
            Err(DnsError::BadName)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_limit() {
    let resolver = Resolver::with(&server(None).await);
    assert_eq!(resolver.limit(), Duration::from_secs(6));
    let start = tokio::time::Instant::now();
    let outcome = resolver.locate(b"example.test", Some(5060), None).await;
    assert_eq!(outcome, Err(DnsError::TimedOut));
    assert!(
        (2..=6).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    let start = tokio::time::Instant::now();
    let outcome = resolver.locate(b"example.test", None, None).await;
    assert_eq!(outcome, Err(DnsError::TimedOut));
    assert!(
        start.elapsed() <= Duration::from_secs(12),
        "{:?}",
        start.elapsed()
    );
}

/// The first poll answers, outside of any runtime.
#[test]
fn addresses_and_local_names_need_no_waiting() {
    let resolver = Resolver::new();
    let now = |host: &[u8], port, transport| {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(resolver.locate(host, port, transport)).poll(&mut context) {
            std::task::Poll::Ready(found) => found.unwrap()[0],
            std::task::Poll::Pending => panic!("waits"),
        }
    };
    assert_eq!(now(b"192.0.2.7", None, None), at(7, 5060));
    let found = now(b"[2001:db8::1]", Some(5070), Some(Protocol::Tcp));
    assert_eq!(
        (found.ip, found.port),
        ("2001:db8::1".parse().unwrap(), 5070)
    );
    assert_eq!(now(b"::1", None, Some(Protocol::Tls)).port, 5061);
}

#[tokio::test]
async fn localhost_is_known_without_a_server() {
    let found = Resolver::with(&server(None).await)
        .locate(b"localhost", None, None)
        .await
        .unwrap();
    assert!(found[0].ip.is_loopback());
}

#[test]
fn a_resolver_without_servers_needs_no_network() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let resolver = Resolver::without_servers();
        let found = resolver.locate(b"nowhere.invalid", None, None).await;
        assert_eq!(found, Err(DnsError::NotFound));
        assert!(resolver.locate(b"192.0.2.1", None, None).await.is_ok());
    });
}
