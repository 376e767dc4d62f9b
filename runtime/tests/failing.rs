//! What becomes of a message whose script fails.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kcc_runtime::abi::{RouteFn, Words};
use kcc_runtime::declare::Routes;
use kcc_runtime::program::{Manifest, Program, RouteInfo};
use kcc_runtime::run::Run;
use kcc_runtime::shim::{self, Verdict};
use kcc_runtime::sim;
use kcc_runtime::transport::Port;

/// Keeps the first line of what it gets.
#[derive(Default)]
struct Caller(RefCell<Vec<String>>);

impl Port for Caller {
    fn datagram(&self, _: SocketAddr, data: Bytes) {
        let text = String::from_utf8_lossy(&data);
        let line = text.lines().next().unwrap_or_default();
        self.0.borrow_mut().push(line.to_owned());
    }
}

const SERVER: &str = "127.0.0.1:5060";
const CALLER: &str = "127.0.0.1:5070";

/// The first lines of what comes back for a request whose `request_route` is `route`.
fn answers(route: RouteFn, method: &str) -> Vec<String> {
    let manifest = Manifest {
        routes: vec![RouteInfo {
            kind: Routes::REQUEST.0,
            name: String::new(),
            main: true,
            place: (0, 0),
        }],
        ..Manifest::default()
    };
    let program = Program::load(manifest, vec![route], Box::new(()), &[]).unwrap();
    let request = format!(
        "{method} sip:a@{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK1\r\n\
         From: <sip:b@{CALLER}>;tag=1\r\nTo: <sip:a@{SERVER}>\r\nCall-ID: 1\r\n\
         CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    );
    let played = sim::run(
        Arc::new(program),
        &sim::Options::default(),
        |world| async move {
            let caller = Rc::new(Caller::default());
            let at = CALLER.parse().unwrap();
            world.memory.bind(at, caller.clone());
            world
                .memory
                .send(at, SERVER.parse().unwrap(), request.as_bytes());
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(world.transactions(), 0);
            caller.0.take()
        },
    );
    played.unwrap()
}

extern "C" fn panics(run: *mut Run) -> Words {
    shim::function(run, std::ptr::null(), |_, _| -> Verdict {
        panic!("on purpose")
    })
}

extern "C" fn answers_and_panics(run: *mut Run) -> Words {
    shim::function(run, std::ptr::null(), |run, _| -> Verdict {
        run.reply_stateless(404, b"");
        panic!("on purpose")
    })
}

extern "C" fn begins_a_transaction_and_panics(run: *mut Run) -> Words {
    shim::function(run, std::ptr::null(), |run, _| -> Verdict {
        run.create_transaction();
        panic!("on purpose")
    })
}

#[test]
fn a_request_whose_script_panics_is_answered() {
    assert_eq!(
        answers(panics, "OPTIONS"),
        ["SIP/2.0 500 Server Internal Error"]
    );
    assert_eq!(
        answers(begins_a_transaction_and_panics, "OPTIONS"),
        ["SIP/2.0 500 Server Internal Error"]
    );
}

#[test]
fn an_ack_and_a_request_with_an_answer_are_not() {
    assert!(answers(panics, "ACK").is_empty());
    assert_eq!(
        answers(answers_and_panics, "OPTIONS"),
        ["SIP/2.0 404 Not Found"]
    );
}
