//! The registrar and location service (Kamailio `registrar`; RFC 3261 §10).

mod aor;
mod lookup;
mod reject;
mod request;
mod save;
#[cfg(test)]
mod tests;

use kcc_macros::module;

/// Registers phones, and finds them again.
///
/// `save()` stores the contacts of a REGISTER in a table of `usrloc` and answers it; `lookup()`
/// sends a request to the contacts of its user.
#[module(name = "registrar")]
pub mod exports {
    use std::fmt::Display;
    use std::io::Write as _;

    use kcc_runtime::declare::{Const, Int, Text};
    use kcc_runtime::init::Init;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_sip::token::is_token;

    use super::aor::{Form, NoAor};
    use super::lookup::{First, Way, lookup as find_contacts};
    use super::reject::Reject;
    use super::request::{Request, Terms};
    use super::save::{Options, Saved, save as store_contacts};
    use crate::avp_param::AvpParam;
    use crate::usrloc::table::Table;
    use crate::usrloc::{self, now, store};

    /// Parameters of `registrar`.
    #[params]
    pub struct Params {
        /// `lookup()` makes branches of all contacts but the first.
        #[param(default = true)]
        pub append_branches: bool,
        /// Users that differ in case are different.
        #[param(default = false)]
        pub case_sensitive: bool,
        /// The longest URI of a contact, in bytes.
        #[param(default = 512)]
        pub contact_max_size: i64,
        /// How long a contact lives that names no time, in seconds.
        #[param(default = 3600)]
        pub default_expires: i64,
        /// The preference of a contact that names none, in thousandths; -1 for none.
        #[param(default = -1)]
        pub default_q: i64,
        /// The most contacts of a user; 0 for as many as the location table takes.
        #[param(default = 0)]
        pub max_contacts: i64,
        /// The longest that a contact may live, in seconds; 0 is no limit.
        #[param(default = 0)]
        pub max_expires: i64,
        /// `lookup()` leaves out contacts that do not take the request's method.
        #[param(default = false)]
        pub method_filtering: bool,
        /// The shortest that a contact may live, in seconds.
        #[param(default = 60)]
        pub min_expires: i64,
        /// What becomes of a shorter time: 0 it is raised, 1 the REGISTER is answered with 423.
        #[param(default = 0)]
        pub min_expires_mode: i64,
        /// What is taken off the start of domains (`sip.`).
        #[param]
        pub realm_prefix: Vec<u8>,
        /// The AVP that holds the URI a REGISTER came from, where that is not its contact.
        #[param]
        pub received_avp: AvpParam,
        /// The parameter of Contact that holds the same, in the REGISTER and in the answer.
        #[param(default = "received")]
        pub received_param: Vec<u8>,
        /// Seconds that an answer 503 asks to wait; 0 leaves that out.
        #[param(default = 0)]
        pub retry_after: i64,
    }

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        let params: &Params = init.program.params();
        if !is_token(&params.received_param) {
            return Err("received_param: it is no name of a parameter".to_owned());
        }
        let loaded = |name| {
            init.program
                .modules
                .iter()
                .any(|module| module.name == name)
        };
        if !loaded("usrloc") {
            return Err("it needs the module usrloc, which is not loaded".to_owned());
        }
        Ok(())
    }

    const ONLY_CONTACT: i64 = 0x04;
    const NO_REPLY: i64 = 0x02;

    fn form(run: &Run) -> Form<'_> {
        let params = run.params::<Params>();
        Form {
            domain: run.params::<usrloc::exports::Params>().use_domain,
            case_sensitive: params.case_sensitive,
            realm_prefix: &params.realm_prefix,
        }
    }

    fn terms(run: &Run) -> Terms<'_> {
        let params = run.params::<Params>();
        let seconds = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        Terms {
            default_expires: seconds(params.default_expires),
            min_expires: seconds(params.min_expires),
            refuse_brief: params.min_expires_mode != 0,
            max_expires: seconds(params.max_expires),
            default_q: u16::try_from(params.default_q).ok().filter(|q| *q <= 1000),
            contact_max_size: usize::try_from(params.contact_max_size).unwrap_or(0),
            received_param: &params.received_param,
            received: params.received_avp.text(&run.avps),
            branch_flags: run.target.flags,
        }
    }

    fn store_request(
        run: &Run,
        table: Table,
        flags: i64,
        uri: Option<&[u8]>,
        aor: &mut Vec<u8>,
        listed: &mut Vec<u8>,
    ) -> Result<Saved, Reject> {
        let store = store(run).ok_or(Reject::NoStore)?;
        let to = run.message.to();
        let uri = uri.or_else(|| to.map(|to| to.uri)).ok_or(Reject::Aor)?;
        form(run).write(uri, aor).map_err(|why| match why {
            NoAor::Malformed => Reject::Aor,
            NoAor::TooLong => Reject::AorTooLong,
        })?;
        let request = Request {
            message: &run.message,
            source: run.source,
            now: now(run),
            terms: terms(run),
        };
        let params = run.params::<Params>();
        let options = Options {
            only: flags & ONLY_CONTACT != 0,
            max_contacts: usize::try_from(params.max_contacts).unwrap_or(0),
        };
        store_contacts(
            store,
            table,
            aor,
            &request,
            &options,
            &params.received_param,
            listed,
        )
    }

    /// Answers a REGISTER with the contacts `listed`.
    fn answer(run: &mut Run, outcome: Result<Saved, Reject>, listed: &[u8]) {
        let worker = run.worker().clone();
        let (code, reason) = match outcome {
            Ok(_) => (200, &b"OK"[..]),
            Err(reject) => reject.status(),
        };
        let sent = worker.with_buffer(|lines| {
            if !listed.is_empty() {
                lines.extend_from_slice(b"Contact: ");
                lines.extend_from_slice(listed);
                lines.extend_from_slice(b"\r\n");
            }
            let params = run.params::<Params>();
            // Writing into a `Vec` does not fail.
            if let Err(reject) = outcome {
                if reject == Reject::TooBrief {
                    let _ = write!(lines, "Min-Expires: {}\r\n", params.min_expires);
                }
                let _ = write!(lines, "P-Registrar-Error: {reject}\r\n");
            }
            if code >= 500 && params.retry_after > 0 {
                let _ = write!(lines, "Retry-After: {}\r\n", params.retry_after);
            }
            run.edits.append_to_reply(lines)
        });
        if let Err(error) = sent {
            run.report(&error);
        }
        if run.transaction.is_some() {
            run.reply_in_transaction(code, reason);
        } else {
            run.reply_stateless(code, reason);
        }
    }

    /// Stores the contacts of the REGISTER in hand in `table` and answers it.
    ///
    /// The user is that of To, or of `uri` where it is given. `flags` is a sum: 1 keeps the
    /// contacts in memory alone, 2 sends no answer, 4 lets the contact take the place of all others.
    ///
    /// 1: a contact was added, or nothing changed; 2: refreshed; 3: removed; 4: the REGISTER asked
    /// what is there. False (-1): it was refused; (-2): there would be too many contacts. In a
    /// reply route the contacts of the reply are stored.
    ///
    /// ```cfg
    /// if (is_method("REGISTER")) { save("location"); exit; }
    /// ```
    #[function(routes = "request|failure|onreply")]
    fn save(run: &mut Run, table: Const<Table>, flags: Option<Int>, uri: Option<Text>) -> Verdict {
        let worker = run.worker().clone();
        let flags = flags.unwrap_or(0);
        worker.with_buffer(|listed| {
            let outcome =
                worker.with_buffer(|aor| store_request(run, *table, flags, uri, aor, listed));
            if let Err(reject) = outcome {
                run.warn(&format_args!("REGISTER refused: {reject}"));
            }
            if flags & NO_REPLY == 0 && run.message.is_request() {
                answer(run, outcome, listed);
            }
            Verdict::Code(match outcome {
                Ok(saved) => saved as i64,
                Err(reject) => reject.code(),
            })
        })
    }

    /// No location table, or no address-of-record.
    const FAILED: Verdict = Verdict::Code(-3);

    fn failed(run: &Run, error: &dyn Display) -> Verdict {
        run.report(error);
        FAILED
    }

    fn contacts_of(run: &mut Run, table: Table, uri: Option<&[u8]>, first: First) -> Verdict {
        let worker = run.worker().clone();
        let Some(store) = worker.server.shared.get::<usrloc::store::Store>() else {
            return failed(run, &"there is no location table");
        };
        worker.with_buffer(|aor| {
            let uri = uri.unwrap_or_else(|| run.uri());
            if form(run).write(uri, aor).is_err() {
                return failed(run, &"the URI has no address-of-record");
            }
            let params = run.params::<Params>();
            let way = Way {
                first,
                more: params.append_branches || first == First::NewBranch,
                method: match params.method_filtering {
                    true => run.message.method().bit(),
                    false => 0,
                },
            };
            let now = now(run);
            Verdict::Code(find_contacts(run, store, table, aor, way, now).code())
        })
    }

    /// Sends the request to the contacts of its user.
    ///
    /// The user is that of the Request-URI, or of `uri` where it is given. The first contact becomes
    /// the Request-URI, with `$du` where the phone is behind a NAT; the others become branches
    /// (`append_branches`).
    ///
    /// False (-1): the user has no contact; (-2): none takes this method (`method_filtering`);
    /// (-3): the URI is malformed.
    ///
    /// ```cfg
    /// if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    /// ```
    #[function(routes = "request|failure")]
    fn lookup(run: &mut Run, table: Const<Table>, uri: Option<Text>) -> Verdict {
        contacts_of(run, *table, uri, First::Request)
    }

    /// As `lookup()`, for the Request-URI and for every branch that is there already.
    ///
    /// A branch whose user has no contact stays as it is. True where the user of the Request-URI has
    /// a contact.
    ///
    /// ```cfg
    /// lookup_branches("location");
    /// ```
    #[function(routes = "request|failure")]
    fn lookup_branches(run: &mut Run, table: Const<Table>) -> Verdict {
        let branches = run.branches.as_slice().len();
        let verdict = contacts_of(run, *table, None, First::Request);
        let worker = run.worker().clone();
        for number in 0..branches {
            worker.with_buffer(|uri| {
                let branch = run.branches.as_slice().get(number);
                let branch_uri = branch.and_then(|branch| branch.uri.get());
                uri.extend_from_slice(branch_uri.unwrap_or_default());
                contacts_of(run, *table, Some(uri), First::Branch(number));
            });
        }
        verdict
    }

    /// Makes branches of all contacts of the user; the Request-URI stays.
    ///
    /// The user is that of the Request-URI, or of `uri` where it is given. Results as `lookup()`.
    ///
    /// ```cfg
    /// lookup_to_dset("location");
    /// ```
    #[function(routes = "request|failure")]
    fn lookup_to_dset(run: &mut Run, table: Const<Table>, uri: Option<Text>) -> Verdict {
        contacts_of(run, *table, uri, First::NewBranch)
    }

    /// Whether the user of the Request-URI, or of `uri`, has a contact.
    ///
    /// ```cfg
    /// if (registered("location", "sip:alice@example.com")) xlog("alice is here\n");
    /// ```
    #[function(routes = "any")]
    fn registered(run: &mut Run, table: Const<Table>, uri: Option<Text>) -> bool {
        let worker = run.worker().clone();
        let Some(store) = worker.server.shared.get::<usrloc::store::Store>() else {
            return false;
        };
        worker.with_buffer(|aor| {
            let uri = uri.unwrap_or_else(|| run.uri());
            form(run).write(uri, aor).is_ok() && store.read(*table, aor, now(run), |_| ()).is_some()
        })
    }

    /// Removes all contacts of the user of `uri`, or the one with the record id `ruid`.
    ///
    /// True also where the user had none. False (-2): `uri` is malformed; (-3): there is no contact
    /// with this id.
    ///
    /// ```cfg
    /// unregister("location", "sip:alice@example.com");
    /// ```
    #[function(routes = "any")]
    fn unregister(run: &mut Run, table: Const<Table>, uri: Text, ruid: Option<Text>) -> Verdict {
        let worker = run.worker().clone();
        let Some(store) = worker.server.shared.get::<usrloc::store::Store>() else {
            return failed(run, &"there is no location table");
        };
        let id = match ruid {
            None => None,
            Some(text) => match store.ids.parse(text) {
                Some(id) => Some(id),
                None => return FAILED,
            },
        };
        worker.with_buffer(|aor| {
            if form(run).write(uri, aor).is_err() {
                return Verdict::Code(-2);
            }
            let removed = store.change(*table, aor, now(run), |record, _| {
                record.retain(|contact| id.is_some_and(|id| contact.id != id))
            });
            match (id, removed) {
                (Some(_), None | Some(0)) => FAILED,
                _ => Verdict::TRUE,
            }
        })
    }

    /// Adds a header field `name` with the socket that the request came to.
    ///
    /// ```cfg
    /// add_sock_hdr("Sock-Info");
    /// ```
    #[function(routes = "request")]
    fn add_sock_hdr(run: &mut Run, name: Text) -> Result<bool, &'static str> {
        if !is_token(name) {
            return Err("it is no name of a header field");
        }
        let worker = run.worker().clone();
        let socket = worker.network.socket(run.source.socket);
        let socket = socket.ok_or("the request came to no socket")?;
        worker.with_buffer(|line| {
            line.extend_from_slice(name);
            line.extend_from_slice(b": ");
            line.extend_from_slice(socket.text.as_bytes());
            let (message, edits) = run.edit();
            edits
                .append_header(message, line)
                .map_err(|_| "too many edits of one message")?;
            Ok(true)
        })
    }
}
