//! Addresses and names of hosts (Kamailio `ipops`).

mod address;
mod host;
mod kinds;
mod queries;

/// Addresses and names of hosts.
///
/// An IPv6 address in brackets is called a reference.
#[kcc_macros::module(name = "ipops", parts(super::queries::exports::PART))]
pub mod exports {
    use std::net::IpAddr;

    use kcc_runtime::declare::{Const, Place, Text};
    use kcc_runtime::init::Init;
    use kcc_runtime::run::Run;
    use kcc_runtime::shim::Verdict;
    use kcc_runtime::value::{Val, Value};

    use super::address::{Form, in_subnets, parse, pure};
    use super::host::{Host, Part};
    use super::kinds::kind;

    #[init]
    fn init(init: &mut Init) -> Result<(), String> {
        init.shared.provide(Host::of_system());
        Ok(())
    }

    /// This host: `$HN(n)` its name without the domain, `$HN(f)` the whole name, `$HN(d)` the domain,
    /// `$HN(i)` its address, as they were at the start. Null where there is none.
    ///
    /// ```cfg
    /// xlog("this is $HN(f)\n");
    /// ```
    #[pv(name = "HN")]
    fn hn(run: &mut Run, part: Const<Part>) -> Option<Val> {
        let worker = run.try_worker()?.clone();
        let host: &Host = worker.server.shared.get()?;
        let (name, domain) = host.parts();
        let text = match *part {
            Part::Name => name,
            Part::Full => &host.full,
            Part::Domain => domain,
            Part::Ip => return host.ip.map(|ip| run.text(ip.to_string().as_bytes())),
        };
        (!text.is_empty()).then(|| run.text(text.as_bytes()))
    }

    /// What `ip` is, as the code: 1 an IPv4 address, 2 an IPv6 address, 3 an IPv6 reference; -1
    /// anything else.
    ///
    /// ```cfg
    /// switch (ip_type($si)) {
    ///     case 1: xlog("IPv4\n");
    ///     break;
    ///     default: xlog("IPv6\n");
    /// }
    /// ```
    #[function(routes = "any")]
    fn ip_type(_run: &mut Run, ip: Text) -> Verdict {
        Verdict::Code(match parse(ip) {
            Some((_, Form::V4)) => 1,
            Some((_, Form::V6)) => 2,
            Some((_, Form::V6Reference)) => 3,
            None => -1,
        })
    }

    /// True if `ip` is an address or a reference.
    ///
    /// ```cfg
    /// if (is_ip("$rd")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_ip(_run: &mut Run, ip: Text) -> bool {
        parse(ip).is_some()
    }

    /// True if `ip` is an address; not for a reference.
    ///
    /// ```cfg
    /// if (is_pure_ip("$rd")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_pure_ip(_run: &mut Run, ip: Text) -> bool {
        pure(ip).is_some()
    }

    /// True if `ip` is an IPv4 address.
    ///
    /// ```cfg
    /// if (is_ipv4("$rd")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_ipv4(_run: &mut Run, ip: Text) -> bool {
        matches!(parse(ip), Some((_, Form::V4)))
    }

    /// True if `ip` is an IPv6 address; not for a reference.
    ///
    /// ```cfg
    /// if (is_ipv6("$rd")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_ipv6(_run: &mut Run, ip: Text) -> bool {
        matches!(parse(ip), Some((_, Form::V6)))
    }

    /// True if `ip` is an IPv6 address in brackets.
    ///
    /// ```cfg
    /// if (is_ipv6_reference("$rd")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_ipv6_reference(_run: &mut Run, ip: Text) -> bool {
        matches!(parse(ip), Some((_, Form::V6Reference)))
    }

    /// True if `ip` is a private IPv4 address (RFC 1918).
    ///
    /// ```cfg
    /// if (is_ip_rfc1918("$si")) {
    ///     force_rport();
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_ip_rfc1918(_run: &mut Run, ip: Text) -> bool {
        matches!(parse(ip), Some((IpAddr::V4(ip), _)) if ip.is_private())
    }

    /// True if the address `ip` lies in one of the subnets of `list`, which commas part.
    ///
    /// A subnet is `address/bits`, or an address alone; references are none. What is no subnet is passed
    /// over (Kamailio takes bits that are no number for 0, which is every address).
    ///
    /// ```cfg
    /// if (is_in_subnet("$si", "10.0.0.0/8,2001:db8::/32")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_in_subnet(_run: &mut Run, ip: Text, list: Text) -> bool {
        pure(ip).is_some_and(|ip| in_subnets(ip, list))
    }

    /// True if both are the same address; a reference is the same as its address.
    ///
    /// ```cfg
    /// if (compare_ips("$rd", "2001:db8::1")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn compare_ips(_run: &mut Run, first: Text, second: Text) -> bool {
        matches!((parse(first), parse(second)), (Some((a, _)), Some((b, _))) if a == b)
    }

    /// True if both are the same address; not for references.
    ///
    /// ```cfg
    /// if (compare_pure_ips("$si", "192.0.2.1")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn compare_pure_ips(_run: &mut Run, first: Text, second: Text) -> bool {
        matches!((pure(first), pure(second)), (Some(a), Some(b)) if a == b)
    }

    fn store(run: &mut Run, ip: Option<IpAddr>, result: Place) -> bool {
        match ip {
            Some(ip) => run.write(result, Value::Str(kind(ip).as_bytes())),
            None => false,
        }
    }

    /// Stores the kind of the address or reference `ip` in the variable `result`.
    ///
    /// IPv4: `PUBLIC`, `PRIVATE`, `SHARED`, `LOOPBACK`, `LINK-LOCAL`, `RESERVED`, `TEST-NET`,
    /// `6TO4-RELAY`, `MULTICAST`, `BROADCAST`. IPv6: `UNSPECIFIED`, `LOOPBACK`, `IPV4MAP`, `RESERVED`,
    /// `DISCARD`, `GLOBAL-UNICAST`, `TEREDO`, `BMWG`, `DOCUMENTATION`, `ORCHID`, `6TO4`,
    /// `UNIQUE-LOCAL-UNICAST`, `LINK-LOCAL-UNICAST`, `MULTICAST`. False where it is no address.
    ///
    /// ```cfg
    /// if (detailed_ip_type("$si", "$var(kind)")) {
    ///     xlog("$si is $var(kind)\n");
    /// }
    /// ```
    #[function(routes = "any")]
    fn detailed_ip_type(run: &mut Run, ip: Text, result: Place) -> bool {
        store(run, parse(ip).map(|(ip, _)| ip), result)
    }

    /// Stores the kind of the IPv4 address `ip` in the variable `result`: see `detailed_ip_type`.
    ///
    /// ```cfg
    /// if (detailed_ipv4_type("$si", "$var(kind)")) {
    ///     xlog("$si is $var(kind)\n");
    /// }
    /// ```
    #[function(routes = "any")]
    fn detailed_ipv4_type(run: &mut Run, ip: Text, result: Place) -> bool {
        let ip = parse(ip).map(|(ip, _)| ip).filter(IpAddr::is_ipv4);
        store(run, ip, result)
    }

    /// Stores the kind of the IPv6 address or reference `ip` in the variable `result`: see
    /// `detailed_ip_type`.
    ///
    /// ```cfg
    /// if (detailed_ipv6_type("$si", "$var(kind)")) {
    ///     xlog("$si is $var(kind)\n");
    /// }
    /// ```
    #[function(routes = "any")]
    fn detailed_ipv6_type(run: &mut Run, ip: Text, result: Place) -> bool {
        let ip = parse(ip).map(|(ip, _)| ip).filter(IpAddr::is_ipv6);
        store(run, ip, result)
    }
}
