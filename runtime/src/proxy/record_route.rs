//! Record-Route of this hop (RFC 3261 §16.6 step 4, RFC 5658): asked for by the script, written
//! when a branch's sending socket is known.
//!
//! **Invariant:** what a `branch_route` asks for ends with its branch.

use crate::transport::{Protocol, Socket};

/// The most bytes of parameters that can be added to one Record-Route.
pub const MOST_ADDED: usize = 16 * 1024;

/// Where the host of a Record-Route comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// The sockets that the request came to and leaves from.
    Sockets,
    /// The given text, `host[:port][;parameters]`, for one or two header fields.
    Preset(&'a [u8], Option<&'a [u8]>),
    /// The given `host[:port]` in place of the sockets' own.
    Advertised(&'a [u8]),
}

/// A Record-Route that a script asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Whose host.
    pub host: Host<'a>,
    /// The URI is `sips:`.
    pub sips: bool,
    /// The user of the URI; empty for none.
    pub user: &'a [u8],
    /// The value of the `ftag` parameter; empty for none.
    pub from_tag: &'a [u8],
    /// Further parameters, each with its `;`.
    pub params: &'a [u8],
    /// `lr` is written `lr=on`.
    pub full_lr: bool,
    /// Two header fields where the sockets differ.
    pub double: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Unwanted,
    Sockets,
    Preset,
    Advertised,
}

/// The Record-Route that the script asked for, in buffers that are used again.
#[derive(Clone, Debug, Default)]
pub struct RecordRoute {
    form: Form,
    sips: bool,
    full_lr: bool,
    double: bool,
    user: Vec<u8>,
    first: Vec<u8>,
    second: Vec<u8>,
    from_tag: Vec<u8>,
    params: Vec<u8>,
    /// Parameters that were added on their own.
    added: Vec<u8>,
    /// What was there before the branch: whether one was asked for, and the length of `added`.
    outside: Option<(Form, usize)>,
}

fn assign(buffer: &mut Vec<u8>, text: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(text);
}

/// One side of this server: the socket that a request came to or leaves from, and the transport,
/// which may be one above the socket's (WebSocket).
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The socket.
    pub socket: &'a Socket,
    /// The transport.
    pub protocol: Protocol,
}

impl RecordRoute {
    /// Asks for one; false where one was asked for before.
    pub fn ask(&mut self, wanted: &Wanted<'_>) -> bool {
        if self.is_wanted() {
            return false;
        }
        let (form, first, second) = match wanted.host {
            Host::Sockets => (Form::Sockets, &b""[..], &b""[..]),
            Host::Preset(first, second) => (Form::Preset, first, second.unwrap_or_default()),
            Host::Advertised(host) => (Form::Advertised, host, &b""[..]),
        };
        self.form = form;
        (self.sips, self.full_lr, self.double) = (wanted.sips, wanted.full_lr, wanted.double);
        assign(&mut self.user, wanted.user);
        assign(&mut self.first, first);
        assign(&mut self.second, second);
        assign(&mut self.from_tag, wanted.from_tag);
        assign(&mut self.params, wanted.params);
        true
    }

    /// Adds parameters (each with its `;`), before or after the header is asked for; false beyond
    /// [`MOST_ADDED`].
    pub fn add_params(&mut self, params: &[u8]) -> bool {
        let fits = self.added.len() + params.len() <= MOST_ADDED;
        if fits {
            self.added.extend_from_slice(params);
        }
        fits
    }

    /// The parameters that were added so far.
    pub fn added(&self) -> &[u8] {
        &self.added
    }

    /// Whether one was asked for.
    pub fn is_wanted(&self) -> bool {
        self.form != Form::Unwanted
    }

    /// Takes back that one was asked for; parameters that were added stay.
    pub fn withdraw(&mut self) {
        self.form = Form::Unwanted;
    }

    /// A branch begins: what is asked for from here on is its own.
    pub fn enter_branch(&mut self) {
        self.outside = Some((self.form, self.added.len()));
    }

    /// The branch is over, and with it what it asked for.
    pub fn leave_branch(&mut self) {
        if let Some((form, added)) = self.outside.take() {
            self.form = form;
            self.added.truncate(added);
        }
    }

    /// Forgets it; keeps buffers.
    pub fn clear(&mut self) {
        self.form = Form::Unwanted;
        self.added.clear();
        self.outside = None;
    }

    /// Writes the header lines of a request that came to `inbound` and leaves from `outbound`: two
    /// where the sockets differ, that of the outbound side on top, both with `r2=on`.
    pub fn write(&self, inbound: Side<'_>, outbound: Side<'_>, out: &mut Vec<u8>) {
        let two = self.double && inbound.socket.id != outbound.socket.id;
        match self.form {
            Form::Unwanted => {}
            Form::Sockets => {
                if two {
                    self.write_socket(outbound, true, out);
                }
                self.write_socket(inbound, two, out);
            }
            Form::Preset => {
                for host in [&self.first, &self.second] {
                    if !host.is_empty() {
                        self.open(host, out);
                        self.write_from_tag(out);
                        out.extend_from_slice(&self.added);
                        self.lr(out);
                        out.extend_from_slice(b">\r\n");
                    }
                }
            }
            Form::Advertised => {
                let same = inbound.protocol == outbound.protocol;
                if two && !same {
                    self.write_advertised(Some(outbound.protocol), true, out);
                }
                let named = (!same).then_some(inbound.protocol);
                self.write_advertised(named, two && !same, out);
            }
        }
    }

    fn write_socket(&self, side: Side<'_>, double: bool, out: &mut Vec<u8>) {
        let Side { socket, protocol } = side;
        self.open(socket.sent_host().as_bytes(), out);
        let port = socket.sent_port();
        // A route without a port is looked up as port 5060, whatever its transport.
        if port != 5060 || socket.protocol.default_port() != 5060 {
            out.push(b':');
            kcc_sip::build::write_number(out, u64::from(port));
        }
        if protocol != Protocol::Udp {
            transport(protocol, out);
        }
        if double {
            out.extend_from_slice(b";r2=on");
        }
        self.lr(out);
        self.write_from_tag(out);
        out.extend_from_slice(&self.params);
        out.extend_from_slice(&self.added);
        out.extend_from_slice(b">\r\n");
    }

    fn write_advertised(&self, protocol: Option<Protocol>, double: bool, out: &mut Vec<u8>) {
        self.open(&self.first, out);
        if let Some(protocol) = protocol {
            transport(protocol, out);
        }
        if double {
            out.extend_from_slice(b";r2=on");
        }
        self.write_from_tag(out);
        self.lr(out);
        out.extend_from_slice(&self.added);
        out.extend_from_slice(b">\r\n");
    }

    fn open(&self, host: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"Record-Route: <");
        out.extend_from_slice(if self.sips { b"sips:" } else { b"sip:" });
        if !self.user.is_empty() {
            out.extend_from_slice(&self.user);
            out.push(b'@');
        }
        out.extend_from_slice(host);
    }

    fn lr(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.full_lr { b";lr=on" } else { b";lr" });
    }

    fn write_from_tag(&self, out: &mut Vec<u8>) {
        if !self.from_tag.is_empty() {
            out.extend_from_slice(b";ftag=");
            out.extend_from_slice(&self.from_tag);
        }
    }
}

fn transport(protocol: Protocol, out: &mut Vec<u8>) {
    out.extend_from_slice(b";transport=");
    let name = match protocol {
        // A URI says no more of WebSocket (RFC 7118 §5.2.4).
        Protocol::Wss => Protocol::Ws.name(),
        other => other.name(),
    };
    out.extend_from_slice(name.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::SocketId;

    fn socket(id: u16, protocol: Protocol, address: &str) -> Socket {
        Socket::new(SocketId(id), protocol, address.parse().unwrap(), None)
    }

    const PLAIN: Wanted<'static> = Wanted {
        host: Host::Sockets,
        sips: false,
        user: b"",
        from_tag: b"ft",
        params: b"",
        full_lr: false,
        double: true,
    };

    /// The header as the script's wishes, from UDP port `port`, leaving on TCP or UDP.
    fn written(wanted: &Wanted<'_>, port: u16, out: Protocol) -> String {
        let udp = socket(0, Protocol::Udp, &format!("127.0.7.1:{port}"));
        let tcp = socket(1, Protocol::Tcp, "127.0.7.1:5060");
        let mut route = RecordRoute::default();
        route.add_params(b";nat=yes");
        assert!(route.ask(wanted));
        assert!(!route.ask(&PLAIN));
        let mut lines = Vec::new();
        let side = |socket, protocol| Side { socket, protocol };
        route.write(
            side(&udp, Protocol::Udp),
            side(if out == Protocol::Udp { &udp } else { &tcp }, out),
            &mut lines,
        );
        String::from_utf8(lines)
            .unwrap()
            .replace("Record-Route: ", "")
            .replace("\r\n", " ")
    }

    #[test]
    fn the_text_is_that_of_kamailio_5_6() {
        let preset = Wanted {
            host: Host::Preset(b"1.2.3.4:5070;x=y", Some(b"5.6.7.8:5080")),
            ..PLAIN
        };
        let advertised = Wanted {
            host: Host::Advertised(b"9.9.9.9:5099"),
            ..PLAIN
        };
        let full = Wanted {
            user: b"joe",
            full_lr: true,
            params: b";foo=bar",
            sips: true,
            ..PLAIN
        };
        let single = |wanted| Wanted {
            double: false,
            ..wanted
        };
        use Protocol::{Tcp, Udp};
        for (wanted, port, out, text) in [
            (PLAIN, 5060, Udp, "<sip:127.0.7.1;lr;ftag=ft;nat=yes> "),
            (PLAIN, 5090, Udp, "<sip:127.0.7.1:5090;lr;ftag=ft;nat=yes> "),
            (
                PLAIN,
                5060,
                Tcp,
                "<sip:127.0.7.1;transport=tcp;r2=on;lr;ftag=ft;nat=yes> \
                 <sip:127.0.7.1;r2=on;lr;ftag=ft;nat=yes> ",
            ),
            (
                full,
                5060,
                Udp,
                "<sips:joe@127.0.7.1;lr=on;ftag=ft;foo=bar;nat=yes> ",
            ),
            (
                single(PLAIN),
                5060,
                Tcp,
                "<sip:127.0.7.1;lr;ftag=ft;nat=yes> ",
            ),
            (
                preset,
                5060,
                Tcp,
                "<sip:1.2.3.4:5070;x=y;ftag=ft;nat=yes;lr> <sip:5.6.7.8:5080;ftag=ft;nat=yes;lr> ",
            ),
            (
                advertised,
                5060,
                Udp,
                "<sip:9.9.9.9:5099;ftag=ft;lr;nat=yes> ",
            ),
            (
                advertised,
                5060,
                Tcp,
                "<sip:9.9.9.9:5099;transport=tcp;r2=on;ftag=ft;lr;nat=yes> \
                 <sip:9.9.9.9:5099;transport=udp;r2=on;ftag=ft;lr;nat=yes> ",
            ),
            (
                single(advertised),
                5060,
                Tcp,
                "<sip:9.9.9.9:5099;transport=udp;ftag=ft;lr;nat=yes> ",
            ),
        ] {
            assert_eq!(written(&wanted, port, out), text);
        }
    }

    #[test]
    fn what_a_branch_asks_for_ends_with_it() {
        let mut route = RecordRoute::default();
        route.add_params(b";a=1");
        route.enter_branch();
        route.add_params(b";b=2");
        assert!(route.ask(&PLAIN));
        route.leave_branch();
        assert!(!route.is_wanted());
        assert_eq!(route.added(), b";a=1");
        route.ask(&PLAIN);
        route.withdraw();
        assert!(!route.is_wanted());
    }
}
