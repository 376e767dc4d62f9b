//! Expected values are what Kamailio 5.6.3 answered to the same REGISTERs, and RFC 3261 §10.3.

use bytes::Bytes;
use kcc_runtime::run::{Run, Source};
use kcc_sip::Message;

use super::reject::Reject;
use super::request::{Request, Terms};
use super::save::{Options, Saved, save};
use crate::usrloc::record::Rules;
use crate::usrloc::store::{Ids, Layout, MOST_CONTACTS, Store};
use crate::usrloc::table::Table;

const TERMS: Terms<'static> = Terms {
    default_expires: 3600,
    min_expires: 60,
    refuse_brief: false,
    max_expires: 0,
    default_q: None,
    contact_max_size: 512,
    received_param: b"received",
    received: None,
    branch_flags: 0,
};

/// A location service with the module's parameters.
struct Service {
    store: Store,
    table: Table,
    terms: Terms<'static>,
    options: Options,
    now: u64,
}

impl Service {
    fn new(name: &str) -> Service {
        let rules = Rules {
            cseq_delay: 20,
            ..Rules::default()
        };
        let layout = Layout {
            shards: 2,
            sweep: 60,
            rules,
        };
        Service {
            store: Store::new(layout, Ids::new(0, 0), 1000),
            table: Table::named(name.as_bytes()).unwrap(),
            terms: TERMS,
            options: Options::default(),
            now: 1000,
        }
    }

    /// The outcome of a REGISTER with these header fields, and what its answer lists.
    fn register(&self, cseq: u32, lines: &[&str]) -> (Result<Saved, Reject>, String) {
        let mut text = format!(
            "REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=f\r\n\
             To: <sip:a@x>\r\nCSeq: {cseq} REGISTER\r\n"
        );
        if !lines.iter().any(|line| line.starts_with("Call-ID")) {
            text.push_str("Call-ID: cid\r\n");
        }
        for line in lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        let message = Message::parse(Bytes::from(text)).unwrap();
        let request = Request {
            message: &message,
            source: Source::default(),
            now: self.now,
            terms: self.terms,
        };
        let mut listed = Vec::new();
        let outcome = save(
            &self.store,
            self.table,
            b"a",
            &request,
            &self.options,
            b"received",
            &mut listed,
        );
        (outcome, String::from_utf8(listed).unwrap())
    }
}

#[test]
fn registers_are_answered_as_by_kamailio_5_6() {
    let service = Service::new("r-steps");
    let one = "<sip:u@h1>;q=1;expires=3600";
    use Saved::{Deleted, Inserted, Queried, Updated};
    for (cseq, lines, outcome, listed) in [
        (1, &[][..], Ok(Queried), ""),
        (
            1,
            &["Contact: <sip:u@h1>"][..],
            Ok(Inserted),
            "<sip:u@h1>;expires=3600",
        ),
        (
            1,
            &["Contact: <sip:u@h1>;expires=99"],
            Ok(Inserted),
            "<sip:u@h1>;expires=3600",
        ),
        (
            3,
            &["Contact: <sip:u@h1>"],
            Ok(Updated),
            "<sip:u@h1>;expires=3600",
        ),
        (
            2,
            &["Contact: <sip:u@h1>"],
            Err(Reject::CSeq),
            "<sip:u@h1>;expires=3600",
        ),
        (
            1,
            &["Contact: <sip:u@h1>", "Call-ID: b"],
            Ok(Updated),
            "<sip:u@h1>;expires=3600",
        ),
        (
            4,
            &["Contact: <sip:u@h1>;expires=120"],
            Ok(Updated),
            "<sip:u@h1>;expires=120",
        ),
        (
            5,
            &["Contact: <sip:u@h1>", "Expires: 200"],
            Ok(Updated),
            "<sip:u@h1>;expires=200",
        ),
        (
            6,
            &["Contact: <sip:u@h1>;expires=100", "Expires: 0"],
            Ok(Updated),
            "<sip:u@h1>;expires=100",
        ),
        (
            7,
            &["Contact: <sip:u@h1>;expires=10"],
            Ok(Updated),
            "<sip:u@h1>;expires=60",
        ),
        (
            8,
            &["Contact: <sip:u@h1>;expires=99999999999"],
            Ok(Updated),
            "<sip:u@h1>;expires=3600",
        ),
        (
            9,
            &["Contact: <sip:u@h1>;expires=abc"],
            Ok(Updated),
            "<sip:u@h1>;expires=3600",
        ),
        (
            10,
            &["Contact: <sip:u@h1>;expires=-5"],
            Ok(Updated),
            "<sip:u@h1>;expires=3600",
        ),
        (
            11,
            &["Contact: <sip:u@h1>", "Expires: xx"],
            Ok(Updated),
            "<sip:u@h1>;expires=3600",
        ),
        (12, &["Contact: \"D\" <sip:u@h1>;q=1.000"], Ok(Updated), one),
        (13, &["Contact: <sip:u@h1>;q=1.5"], Err(Reject::Q), one),
        (13, &["Contact: <sip:u@h1>;q=abc"], Err(Reject::Q), one),
        (
            14,
            &["Contact: <sip:u@h2>;q=0.7"],
            Ok(Inserted),
            "<sip:u@h1>;q=1;expires=3600, <sip:u@h2>;q=0.7;expires=3600",
        ),
        (
            15,
            &["Contact: <sip:u@h2>;expires=0, <sip:u@h1>;q=1"],
            Ok(Updated),
            one,
        ),
        (
            16,
            &["Contact: <sip:nobody@h>;expires=0"],
            Ok(Inserted),
            one,
        ),
        (
            17,
            &["Contact: sip:u@h3;transport=tcp;expires=77"],
            Ok(Inserted),
            "<sip:u@h1>;q=1;expires=3600, <sip:u@h3>;expires=77",
        ),
        (
            18,
            &["Contact: <sip:u@h1>;q=1", "Contact: <sip:u@h3>;expires=0"],
            Ok(Deleted),
            one,
        ),
        (19, &["Contact: *"], Err(Reject::StarExpires), ""),
        (
            19,
            &["Contact: *", "Expires: 5"],
            Err(Reject::StarExpires),
            "",
        ),
        (19, &["Contact: *;expires=0"], Err(Reject::StarExpires), ""),
        (
            19,
            &["Contact: *", "Contact: <sip:u@h1>", "Expires: 0"],
            Err(Reject::StarMixed),
            "",
        ),
        (
            19,
            &["Contact: *, *", "Expires: 0"],
            Err(Reject::StarMixed),
            "",
        ),
        (19, &["Contact: *", "Expires: 0"], Ok(Deleted), ""),
        (20, &["Contact: *", "Expires: 0"], Ok(Deleted), ""),
        (21, &["Contact:"], Err(Reject::Contact), ""),
        (21, &["Contact: <sip:u@"], Err(Reject::Contact), ""),
        (
            21,
            &["Contact: <sip:u@h1>, \"open"],
            Err(Reject::Contact),
            "",
        ),
        (21, &["Contact: <sip:u\r\n x@h>"], Err(Reject::Contact), ""),
        (
            21,
            &["Contact: <sip:u@h>;received=\"a<b\""],
            Err(Reject::Contact),
            "",
        ),
        (22, &[], Ok(Queried), ""),
        (
            23,
            &["Contact: <sip:i@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;received=\"sip:r:1\""],
            Ok(Inserted),
            "<sip:i@h>;expires=3600;received=\"sip:r:1\";+sip.instance=\"<urn:uuid:1>\";reg-id=1",
        ),
        (
            24,
            &["Contact: <sip:j@h>;+sip.instance=\"<urn:uuid:1>\";reg-id=1"],
            Ok(Updated),
            "<sip:j@h>;expires=3600;+sip.instance=\"<urn:uuid:1>\";reg-id=1",
        ),
    ] {
        let answer = service.register(cseq, lines);
        assert_eq!(answer, (outcome, listed.to_owned()), "{cseq} {lines:?}");
    }
}

#[test]
fn long_texts_are_refused() {
    let service = Service::new("r-long");
    let contact = format!("Contact: <sip:{}@h>", "a".repeat(600));
    assert_eq!(
        service.register(1, &[&contact]).0,
        Err(Reject::ContactTooLong)
    );
    let received = format!("Contact: <sip:u@h>;received=\"sip:{}\"", "a".repeat(300));
    assert_eq!(
        service.register(1, &[&received]).0,
        Err(Reject::ContactTooLong)
    );
    let call_id = format!("Call-ID: {}", "c".repeat(300));
    let answer = service.register(1, &[&call_id, "Contact: <sip:u@h>"]);
    assert_eq!(answer.0, Err(Reject::CallIdTooLong));
}

#[test]
fn times_and_numbers_have_limits() {
    let mut service = Service::new("r-limits");
    service.terms = Terms {
        default_expires: 1800,
        min_expires: 30,
        refuse_brief: true,
        max_expires: 2000,
        default_q: Some(500),
        ..TERMS
    };
    service.options.max_contacts = 2;
    let one = "<sip:u@h1>;q=0.5;expires=2000";
    for (cseq, lines, outcome, listed) in [
        (
            1,
            &["Contact: <sip:u@h1>;expires=5000"][..],
            Ok(Saved::Inserted),
            one,
        ),
        (
            2,
            &["Contact: <sip:u@h1>;expires=5"],
            Err(Reject::TooBrief),
            one,
        ),
        (
            3,
            &["Contact: <sip:u@h1>", "Expires: 5"],
            Err(Reject::TooBrief),
            one,
        ),
        // All or nothing.
        (
            4,
            &["Contact: <sip:u@h2>, <sip:u@h3>"],
            Err(Reject::TooMany),
            one,
        ),
        (
            5,
            &["Contact: <sip:u@h2>, <sip:u@h3>, <sip:u@h1>;expires=0"],
            Ok(Saved::Deleted),
            "<sip:u@h2>;q=0.5;expires=1800, <sip:u@h3>;q=0.5;expires=1800",
        ),
        (
            6,
            &["Contact: <sip:u@h2>, <sip:u@h4>;q=7"],
            Err(Reject::Q),
            "<sip:u@h2>;q=0.5;expires=1800, <sip:u@h3>;q=0.5;expires=1800",
        ),
    ] {
        let answer = service.register(cseq, lines);
        assert_eq!(answer, (outcome, listed.to_owned()), "{cseq} {lines:?}");
    }
    service.options.only = true;
    let (outcome, listed) = service.register(7, &["Contact: <sip:u@h9>;q=1"]);
    assert_eq!(
        (outcome, listed.as_str()),
        (Ok(Saved::Inserted), "<sip:u@h9>;q=1;expires=1800")
    );
}

#[test]
fn contacts_end_with_their_time() {
    let mut service = Service::new("r-time");
    service
        .register(
            1,
            &["Contact: <sip:u@h1>;expires=100, <sip:u@h2>;expires=200"],
        )
        .0
        .unwrap();
    service.now += 100;
    assert_eq!(service.register(2, &[]).1, "<sip:u@h2>;expires=100");
    // The same REGISTER after more than `cseq_delay` is out of order.
    assert_eq!(
        service.register(1, &["Contact: <sip:u@h2>"]).0,
        Err(Reject::CSeq)
    );
    service.now += 100;
    assert_eq!(
        service.register(3, &[]),
        (Ok(Saved::Queried), String::new())
    );
    assert_eq!(service.store.len(), 0);
}

#[test]
fn one_user_has_a_bounded_number_of_contacts() {
    let service = Service::new("r-flood");
    let taken = (0..10_000).filter(|n| {
        let contact = format!("Contact: <sip:u@h{n}>");
        service.register(n + 1, &[&contact]).0.is_ok()
    });
    assert_eq!(taken.count(), MOST_CONTACTS);
    let many: Vec<String> = (0..10_000).map(|n| format!("<sip:m@h{n}>")).collect();
    let contact = format!("Contact: {}", many.join(","));
    let (outcome, listed) = service.register(20_000, &[&contact]);
    assert_eq!(outcome, Err(Reject::TooMany));
    assert!(listed.len() < 64 * 1024);
}

#[test]
fn lookup_fills_target_and_branches() {
    use super::lookup::{First, Found, Way, lookup};
    use kcc_runtime::program::{Manifest, Program};
    let mut service = Service::new("r-lookup");
    service.terms.branch_flags = 8;
    service
        .register(
            1,
            &[
                "Contact: <sip:u@h1>;q=0.5;methods=\"MESSAGE\"",
                "User-Agent: p/1",
            ],
        )
        .0
        .unwrap();
    service
        .register(
            1,
            &[
                "Contact: <sip:u@h2>;q=0.9;received=\"sip:r:1\"",
                "Call-ID: b",
            ],
        )
        .0
        .unwrap();
    let program = Program::load(Manifest::default(), vec![], Box::new(()), crate::MODULES);
    let mut run = Run::new(std::sync::Arc::new(program.unwrap()), None);
    run.target.dst_uri.set(b"sip:old");
    let way = |first, method| Way {
        first,
        more: true,
        method,
    };
    let find = |run: &mut Run, aor: &[u8], way| {
        lookup(run, &service.store, service.table, aor, way, service.now)
    };
    assert_eq!(
        find(&mut run, b"nobody", way(First::Request, 0)),
        Found::Nobody
    );
    assert_eq!(run.target.dst_uri.get(), Some(&b"sip:old"[..]));
    assert_eq!(
        find(&mut run, b"a", way(First::Request, 0)),
        Found::Contacts
    );
    let Run {
        target, branches, ..
    } = &*run;
    assert_eq!(target.uri.get(), Some(&b"sip:u@h2"[..]));
    assert_eq!(target.dst_uri.get(), Some(&b"sip:r:1"[..]));
    assert_eq!((target.q, target.flags), (Some(900), 8));
    assert!(target.ruid.get().unwrap().starts_with(b"uloc-"));
    let [branch] = branches.as_slice() else {
        panic!("one branch")
    };
    assert_eq!(branch.uri.get(), Some(&b"sip:u@h1"[..]));
    assert_eq!((branch.q, branch.dst_uri.get()), (Some(500), None));
    assert_eq!(branch.location_ua.get(), Some(&b"p/1"[..]));

    run.reset();
    let invite = kcc_sip::Method::Invite.bit();
    assert_eq!(
        find(&mut run, b"a", way(First::NewBranch, invite)),
        Found::Contacts
    );
    assert!(run.target.uri.get().is_none());
    assert_eq!(run.branches.as_slice().len(), 1);
}
