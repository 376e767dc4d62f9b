//! Questions to the DNS, and their answers as variables.
//!
//! **Invariant:** nothing waits on the worker; a script keeps a limited number of answers, to its end.

use std::fmt::Display;
use std::io::Write as _;
use std::net::IpAddr;

use kcc_runtime::declare::{Arg, ArgKind};
use kcc_runtime::dns::{Naptr, Srv};
use kcc_runtime::run::{Local, Run};
use kcc_runtime::value::Val;

/// The most answers of a kind that a script keeps; the oldest goes.
const MOST: usize = 32;

/// The addresses of a host.
#[derive(Default)]
pub struct Addresses(pub Vec<IpAddr>);

/// The names of an address.
pub struct Names(pub IpAddr, pub Vec<String>);

/// Answers of one kind, by the names that scripts gave them.
pub struct Answers<T>(Vec<(Box<[u8]>, T)>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Answers(Vec::new())
    }
}

impl<T: 'static> Local for Answers<T> {}

impl<T> Answers<T> {
    /// Keeps `answer` as `id`, or forgets what was kept as that.
    pub fn put(&mut self, id: &[u8], answer: Option<T>) {
        self.0.retain(|(kept, _)| **kept != *id);
        if let Some(answer) = answer {
            if self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push((id.into(), answer));
        }
    }

    fn get(&self, id: &[u8]) -> Option<&T> {
        let mut kept = self.0.iter();
        kept.find(|(kept, _)| **kept == *id).map(|(_, found)| found)
    }
}

/// `id=>field[index]`, as the variables of answers are written.
pub struct Field<'a> {
    /// What the script called the answer.
    pub id: &'a [u8],
    /// The field.
    pub name: &'a [u8],
    /// The index, counted from the end where negative; 0 where there is none.
    pub index: i64,
}

impl<'a> Arg<'a> for Field<'a> {
    const KIND: ArgKind = ArgKind::Text;

    unsafe fn take(val: Val) -> Self {
        // SAFETY: the caller's promise.
        Field::parse(unsafe { <&[u8]>::take(val) })
    }
}

impl<'a> Field<'a> {
    fn parse(text: &'a [u8]) -> Field<'a> {
        let arrow = text.windows(2).position(|two| two == b"=>");
        let (id, field) = match arrow {
            Some(arrow) => (&text[..arrow], &text[arrow + 2..]),
            None => (text, &b""[..]),
        };
        let indexed = field.strip_suffix(b"]").and_then(|field| {
            let open = memchr::memchr(b'[', field)?;
            let index = std::str::from_utf8(&field[open + 1..]).ok()?;
            Some((&field[..open], index.trim().parse().ok()?))
        });
        let (name, index) = indexed.unwrap_or((field, 0));
        Field { id, name, index }
    }

    /// The element that the index means.
    fn of<'l, T>(&self, list: &'l [T]) -> Option<&'l T> {
        let place = match self.index {
            n @ 0.. => usize::try_from(n).ok()?,
            n => list
                .len()
                .checked_sub(usize::try_from(n.unsigned_abs()).ok()?)?,
        };
        list.get(place)
    }
}

fn shown(run: &mut Run, text: impl Display) -> Val {
    let mut place = [0u8; 64];
    let mut rest = &mut place[..];
    // An address has fewer bytes.
    let _ = write!(rest, "{text}");
    let len = 64 - rest.len();
    run.text(&place[..len])
}

fn count<T>(list: &[T]) -> Option<Val> {
    Some(Val::int(i64::try_from(list.len()).unwrap_or(i64::MAX)))
}

fn kind(ip: IpAddr) -> i64 {
    if ip.is_ipv4() { 4 } else { 6 }
}

/// `$dns`.
pub fn dns(run: &mut Run, field: Field<'_>) -> Option<Val> {
    let ips = &run.locals.peek::<Answers<Addresses>>()?.get(field.id)?.0;
    match field.name {
        b"count" => count(ips),
        b"ipv4" => Some(Val::int(ips.iter().any(IpAddr::is_ipv4).into())),
        b"ipv6" => Some(Val::int(ips.iter().any(IpAddr::is_ipv6).into())),
        b"type" => field.of(ips).map(|ip| Val::int(kind(*ip))),
        b"addr" => {
            let ip = *field.of(ips)?;
            Some(shown(run, ip))
        }
        _ => None,
    }
}

/// `$ptrquery`.
pub fn ptr(run: &mut Run, field: Field<'_>) -> Option<Val> {
    let Names(ip, names) = run.locals.peek::<Answers<Names>>()?.get(field.id)?;
    match field.name {
        b"count" => count(names),
        b"ipv4" => Some(Val::int(ip.is_ipv4().into())),
        b"ipv6" => Some(Val::int(ip.is_ipv6().into())),
        b"type" => Some(Val::int(kind(*ip))),
        b"addr" => {
            let ip = *ip;
            Some(shown(run, ip))
        }
        b"hostname" => Some(run.scratch.copy(field.of(names)?.as_bytes())),
        _ => None,
    }
}

/// `$srvquery`.
pub fn srv(run: &mut Run, field: Field<'_>) -> Option<Val> {
    let answers = run.locals.peek::<Answers<Vec<Srv>>>();
    let list = answers.and_then(|answers| answers.get(field.id));
    let list = list.map_or(&[][..], Vec::as_slice);
    if field.name == b"count" {
        return count(list);
    }
    let srv = field.of(list)?;
    match field.name {
        b"port" => Some(Val::int(srv.port.into())),
        b"priority" => Some(Val::int(srv.priority.into())),
        b"weight" => Some(Val::int(srv.weight.into())),
        b"target" => Some(run.scratch.copy(srv.target.as_bytes())),
        _ => None,
    }
}

/// `$naptrquery`.
pub fn naptr(run: &mut Run, field: Field<'_>) -> Option<Val> {
    let answers = run.locals.peek::<Answers<Vec<Naptr>>>();
    let list = answers.and_then(|answers| answers.get(field.id));
    let list = list.map_or(&[][..], Vec::as_slice);
    if field.name == b"count" {
        return count(list);
    }
    let naptr = field.of(list)?;
    let text: &[u8] = match field.name {
        b"order" => return Some(Val::int(naptr.order.into())),
        b"pref" => return Some(Val::int(naptr.preference.into())),
        b"flags" => &naptr.flags,
        b"services" => &naptr.services,
        b"regex" => &naptr.expression,
        b"replace" => naptr.replacement.as_bytes(),
        _ => return None,
    };
    Some(run.scratch.copy(text))
}

/// Questions to the DNS.
#[kcc_macros::part(module = "ipops")]
pub mod exports {
    use kcc_runtime::declare::{Int, Text};
    use kcc_runtime::dns::DnsError;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::Val;

    use super::super::address::parse;
    use super::{Addresses, Answers, Field, Names};

    /// The code where an address is none.
    const BAD_IP: Verdict = Verdict::Code(-3);
    /// The code where a host has no address.
    const NO_HOST: Verdict = Verdict::Code(-4);

    /// Asks for the addresses of `host`, which `$dns(id=>…)` then holds. Other messages are worked on
    /// meanwhile.
    ///
    /// The code is -4 where it has none, or `host` or `id` is empty.
    ///
    /// ```cfg
    /// if (dns_query("example.com", "xyz")) {
    ///     xlog("$dns(xyz=>count) addresses, the first is $dns(xyz=>addr[0])\n");
    /// }
    /// ```
    #[function(routes = "any")]
    async fn dns_query(run: &mut Run, host: Text<'_>, id: Text<'_>) -> Verdict {
        if host.is_empty() || id.is_empty() {
            return NO_HOST;
        }
        let worker = run.worker().clone();
        let found = worker.resolver.all_addresses(host).await;
        let answers = run.locals.get::<Answers<Addresses>>();
        match found {
            Ok(ips) => {
                answers.put(id, Some(Addresses(ips)));
                Verdict::TRUE
            }
            Err(error) => {
                answers.put(id, None);
                run.report(&error);
                NO_HOST
            }
        }
    }

    async fn matches(run: &mut Run, host: &[u8], ip: &[u8]) -> Verdict {
        let Some((ip, _)) = parse(ip) else {
            run.report(&"this is no address");
            return BAD_IP;
        };
        let worker = run.worker().clone();
        match worker.resolver.all_addresses(host).await {
            Ok(ips) => ips.contains(&ip).into(),
            Err(_) => NO_HOST,
        }
    }

    /// True if `ip` is an address of `host`. Other messages are worked on meanwhile.
    ///
    /// The code is -3 where `ip` is no address, -4 where `host` has none.
    ///
    /// ```cfg
    /// if (!dns_sys_match_ip("example.com", "$si")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    async fn dns_sys_match_ip(run: &mut Run, host: Text<'_>, ip: Text<'_>) -> Verdict {
        matches(run, host, ip).await
    }

    /// True if `ip` is an address of `host`: the same as `dns_sys_match_ip`.
    ///
    /// All addresses count, and those of `/etc/hosts` (Kamailio asks name servers alone).
    ///
    /// ```cfg
    /// if (!dns_int_match_ip("example.com", "$si")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    async fn dns_int_match_ip(run: &mut Run, host: Text<'_>, ip: Text<'_>) -> Verdict {
        matches(run, host, ip).await
    }

    /// Nothing is a good answer, too: the list is empty then.
    fn kept<T: 'static>(run: &mut Run, id: &[u8], found: Result<Vec<T>, DnsError>) -> bool {
        let list = match found {
            Ok(list) => list,
            Err(DnsError::NotFound) => Vec::new(),
            Err(error) => {
                run.report(&error);
                Vec::new()
            }
        };
        run.locals.get::<Answers<Vec<T>>>().put(id, Some(list));
        true
    }

    /// Asks for the SRV records of `service`, which `$srvquery(id=>…)` then holds. Other messages are
    /// worked on meanwhile.
    ///
    /// True where there are none, too; false where a name is empty.
    ///
    /// ```cfg
    /// if (srv_query("_sip._udp.example.com", "udp")) {
    ///     xlog("$srvquery(udp=>target[0]):$srvquery(udp=>port[0])\n");
    /// }
    /// ```
    #[function(routes = "any")]
    async fn srv_query(run: &mut Run, service: Text<'_>, id: Text<'_>) -> bool {
        if service.is_empty() || id.is_empty() {
            return false;
        }
        let worker = run.worker().clone();
        let found = worker.resolver.srv(service).await;
        kept(run, id, found)
    }

    /// Asks for the NAPTR records of `domain`, which `$naptrquery(id=>…)` then holds. Other messages
    /// are worked on meanwhile.
    ///
    /// True where there are none, too; false where a name is empty.
    ///
    /// ```cfg
    /// if (naptr_query("example.com", "res")) {
    ///     xlog("$naptrquery(res=>services[0]) $naptrquery(res=>replace[0])\n");
    /// }
    /// ```
    #[function(routes = "any")]
    async fn naptr_query(run: &mut Run, domain: Text<'_>, id: Text<'_>) -> bool {
        if domain.is_empty() || id.is_empty() {
            return false;
        }
        let worker = run.worker().clone();
        let found = worker.resolver.naptr(domain).await;
        kept(run, id, found)
    }

    /// Asks for the names of the address `ip`, which `$ptrquery(id=>…)` then holds. Other messages are
    /// worked on meanwhile.
    ///
    /// The code is -3 where `ip` is no address, -4 where it has no name.
    ///
    /// ```cfg
    /// if (ptr_query("$si", "peer")) {
    ///     xlog("$ptrquery(peer=>hostname[0])\n");
    /// }
    /// ```
    #[function(routes = "any")]
    async fn ptr_query(run: &mut Run, ip: Text<'_>, id: Text<'_>) -> Verdict {
        let Some((ip, _)) = parse(ip).filter(|_| !id.is_empty()) else {
            return BAD_IP;
        };
        let worker = run.worker().clone();
        let found = worker.resolver.names(ip).await;
        let names = found.ok().filter(|names| !names.is_empty());
        let answer = names.map(|names| Names(ip, names));
        let code = if answer.is_some() {
            Verdict::TRUE
        } else {
            NO_HOST
        };
        run.locals.get::<Answers<Names>>().put(id, answer);
        code
    }

    /// Seconds for which answers of the DNS are kept. True, and without effect: they are kept as long as
    /// the name servers say.
    ///
    /// ```cfg
    /// dns_set_local_ttl("60");
    /// ```
    #[function(routes = "any")]
    fn dns_set_local_ttl(_run: &mut Run, _seconds: Int) -> bool {
        true
    }

    /// What `dns_query()` found: `$dns(id=>field)`.
    ///
    /// `count`; `addr[n]` and its `type[n]`, 4 or 6; `ipv4` and `ipv6`, 1 where there is such an address.
    /// `n` may be a variable; without it the first. Null where there is no such answer or address.
    ///
    /// ```cfg
    /// $var(i) = 0;
    /// while ($var(i) < $dns(xyz=>count)) {
    ///     xlog("$dns(xyz=>addr[$var(i)])\n");
    ///     $var(i) = $var(i) + 1;
    /// }
    /// ```
    #[pv(name = "dns")]
    fn dns(run: &mut Run, field: Field) -> Option<Val> {
        super::dns(run, field)
    }

    /// What `srv_query()` found: `$srvquery(id=>field)`.
    ///
    /// `count`, 0 where there is no such answer; `port[n]`, `priority[n]`, `weight[n]`, `target[n]`, by
    /// priority and weight. Null where there is no such record.
    ///
    /// ```cfg
    /// xlog("$srvquery(udp=>target[0])\n");
    /// ```
    #[pv(name = "srvquery")]
    fn srvquery(run: &mut Run, field: Field) -> Option<Val> {
        super::srv(run, field)
    }

    /// What `naptr_query()` found: `$naptrquery(id=>field)`.
    ///
    /// `count`, 0 where there is no such answer; `order[n]`, `pref[n]`, `flags[n]`, `services[n]`, `regex[n]`, `replace[n]`, by order and
    /// preference. Null where there is no such answer or record.
    ///
    /// ```cfg
    /// xlog("$naptrquery(res=>services[0])\n");
    /// ```
    #[pv(name = "naptrquery")]
    fn naptrquery(run: &mut Run, field: Field) -> Option<Val> {
        super::naptr(run, field)
    }

    /// What `ptr_query()` found: `$ptrquery(id=>field)`.
    ///
    /// `count`, `hostname[n]`; `addr`, `type`, `ipv4`, `ipv6` of the address. Null where there is no such
    /// answer or name.
    ///
    /// ```cfg
    /// xlog("$ptrquery(peer=>hostname[0])\n");
    /// ```
    #[pv(name = "ptrquery")]
    fn ptrquery(run: &mut Run, field: Field) -> Option<Val> {
        super::ptr(run, field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_an_id_a_name_and_an_index() {
        for (text, id, name, index) in [
            ("x=>addr[2]", "x", "addr", 2),
            ("x=>addr[-1]", "x", "addr", -1),
            ("x=>count", "x", "count", 0),
            ("x=>addr[a]", "x", "addr[a]", 0),
            ("x", "x", "", 0),
            ("", "", "", 0),
        ] {
            let field = Field::parse(text.as_bytes());
            assert_eq!(
                (field.id, field.name, field.index),
                (id.as_bytes(), name.as_bytes(), index)
            );
        }
        let field = Field::parse(b"x=>addr[-1]");
        assert_eq!((field.of(&[1, 2]), field.of::<i32>(&[])), (Some(&2), None));
    }

    #[test]
    fn a_script_keeps_a_limited_number_of_answers() {
        let mut answers = Answers::default();
        for n in 0..100u8 {
            answers.put(&[n], Some(n));
        }
        assert_eq!((answers.0.len(), answers.get(&[99])), (MOST, Some(&99)));
        answers.put(&[99], None);
        assert_eq!(answers.get(&[99]), None);
    }
}
