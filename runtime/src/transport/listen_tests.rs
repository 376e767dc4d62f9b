//! Listen specifications against the real loopback.

use std::net::UdpSocket;

use super::*;

fn spec(protocol: Protocol, host: &str, port: u16) -> ListenSpec {
    ListenSpec {
        protocol: Some(protocol),
        host: host.into(),
        port: Some(port),
        ..ListenSpec::default()
    }
}

fn error(specs: &[ListenSpec]) -> ListenError {
    listen(specs, &ListenOptions::default()).expect_err("must not bind")
}

#[test]
fn every_worker_gets_a_socket_on_the_same_port() {
    let options = ListenOptions {
        workers: 3,
        ..ListenOptions::default()
    };
    let specs = [
        spec(Protocol::Udp, "127.0.0.1", 0),
        spec(Protocol::Tcp, "127.0.0.1", 0),
        spec(Protocol::Udp, "[::1]", 0),
    ];
    let bound = listen(&specs, &options).unwrap();
    assert_eq!(bound.sockets.len(), 3);
    assert_eq!(bound.workers.len(), 3);
    for worker in &bound.workers {
        for (id, socket) in &worker.udp {
            let address = bound.sockets[usize::from(id.0)].address;
            assert_eq!(socket.local_addr().unwrap(), address);
        }
        let (id, listener) = &worker.tcp[0];
        let address = bound.sockets[usize::from(id.0)].address;
        assert_eq!(listener.local_addr().unwrap(), address);
    }
}

#[test]
fn a_port_that_another_uses_is_an_error_with_its_place() {
    for workers in [1, 2] {
        let options = ListenOptions {
            workers,
            ..ListenOptions::default()
        };
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            // Another server of the same kind, which shares its ports among its own workers.
            let other = listen(&[spec(protocol, "127.0.0.1", 0)], &options).unwrap();
            let port = other.sockets[0].address.port();
            let specs = [
                spec(Protocol::Udp, "127.0.0.1", 0),
                spec(protocol, "127.0.0.1", port),
            ];
            let error = listen(&specs, &options).expect_err("in use");
            assert_eq!(error.spec, Some(1));
            assert!(matches!(error.reason, ListenReason::InUse));
            assert_eq!(error.text, format!("{protocol}:127.0.0.1:{port}"));
        }
    }
}

#[test]
fn absent_addresses_and_unknown_hosts_are_told_apart() {
    let absent = error(&[spec(Protocol::Udp, "203.0.113.9", 0)]);
    assert!(matches!(absent.reason, ListenReason::NoSuchAddress));
    let unknown = error(&[spec(Protocol::Udp, "nowhere.invalid", 5070)]);
    assert!(matches!(unknown.reason, ListenReason::UnknownHost));
    assert_eq!(
        unknown.to_string(),
        "cannot listen on udp:nowhere.invalid:5070: neither an address, nor an interface, \
         nor a host name that resolves"
    );
    let unsupported = error(&[spec(Protocol::Sctp, "127.0.0.1", 0)]);
    assert!(matches!(
        unsupported.reason,
        ListenReason::Unsupported(Protocol::Sctp)
    ));
}

#[test]
fn interfaces_and_host_names_are_resolved() {
    let interface = ListenSpec {
        host: "lo".into(),
        port: Some(0),
        ..ListenSpec::default()
    };
    let bound = listen(&[interface], &ListenOptions::default()).unwrap();
    let texts: Vec<_> = bound
        .sockets
        .iter()
        .map(|s| (s.protocol, s.address.ip().to_string()))
        .collect();
    let expected = [Protocol::Udp, Protocol::Tcp].map(|p| (p, "127.0.0.1".to_owned()));
    assert_eq!(texts, expected);

    let named = listen(
        &[spec(Protocol::Udp, "localhost", 0)],
        &ListenOptions::default(),
    )
    .unwrap();
    assert_eq!(&*named.sockets[0].host, "localhost");
    assert_eq!(named.sockets[0].address.ip().to_string(), "127.0.0.1");
}

#[test]
fn what_is_asked_for_twice_is_bound_once_and_a_virtual_address_may_be_absent() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let twice = spec(Protocol::Udp, "127.0.0.1", port);
    let absent = ListenSpec {
        is_virtual: true,
        advertise: Some(("edge.example.com".into(), Some(5070))),
        ..spec(Protocol::Udp, "203.0.113.9", 0)
    };
    let specs = [twice.clone(), twice, absent];
    let bound = listen(&specs, &ListenOptions::default()).unwrap();
    assert_eq!(bound.sockets.len(), 2);
    assert_eq!(&*bound.sockets[1].sent_by, "edge.example.com:5070");
}
