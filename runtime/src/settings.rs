//! Global parameters that have an effect, with their defaults: one line each.

use crate::program::{Manifest, Setting};

/// A type that a global parameter may have.
trait Global: Sized {
    fn read(setting: &Setting) -> Option<Self>;
}

impl Global for i64 {
    fn read(setting: &Setting) -> Option<Self> {
        match setting {
            Setting::Int(n) => Some(*n),
            Setting::Str(_) => None,
        }
    }
}

impl Global for bool {
    fn read(setting: &Setting) -> Option<Self> {
        i64::read(setting).map(|n| n != 0)
    }
}

impl Global for String {
    fn read(setting: &Setting) -> Option<Self> {
        match setting {
            Setting::Str(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Setting::Int(_) => None,
        }
    }
}

impl<T: Global> Global for Option<T> {
    fn read(setting: &Setting) -> Option<Self> {
        T::read(setting).map(Some)
    }
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $ty:ty = $default:expr;)*) => {
        /// The global parameters of a program.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: $ty,)*
        }

        impl Default for Settings {
            fn default() -> Self {
                Settings { $($name: $default,)* }
            }
        }

        impl Settings {
            /// Names of the parameters that have an effect.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            fn set(&mut self, name: &str, value: &Setting) {
                match name {
                    $(stringify!($name) => if let Some(value) = Global::read(value) {
                        self.$name = value;
                    },)*
                    _ => {}
                }
            }
        }
    };
}

settings! {
    /// Worker threads; the number of cores where it is not given.
    children: Option<i64> = None;
    /// Least level of log lines: -5 to 3.
    debug: i64 = 0;
    /// Colours in the log, where it is a terminal.
    log_color: bool = false;
    /// Deepest nesting of blocks.
    max_recursive_level: i64 = 256;
    /// Most rounds of a `while`; 0 is no limit.
    max_while_loops: i64 = 100;
    /// 0: conditions hold where they are > 0; else where they are not 0. With 1 the codes of calls
    /// are not 0 or 1 in expressions. The compiler sees to it.
    return_mode: i64 = 0;
    /// Bytes that the result of a format has to be shorter than.
    pv_buffer_size: i64 = 32_768;
    /// Most branches of a request, 1 to 31.
    max_branches: i64 = 12;
    /// Default port of sockets.
    port: i64 = 5060;
    /// No TCP.
    disable_tcp: bool = false;
    /// TLS, where a module makes it.
    enable_tls: bool = false;
    /// Names found for the sockets' addresses count as `myself`.
    auto_aliases: bool = true;
    /// Choose the sending socket by the kernel's route.
    mhomed: bool = false;
    /// Answer to the source port of every request.
    force_rport: bool = false;
    /// Run `onsend_route` for replies, too.
    onsend_route_reply: bool = false;
    /// 1: raise `core:msg-received` for every message.
    received_route_mode: i64 = 0;
    /// Add a Server header to replies made here.
    server_signature: bool = true;
    /// The whole Server header.
    server_header: Option<String> = None;
    /// The whole User-Agent header of requests made here.
    user_agent_header: Option<String> = None;
    /// What `advertise` says for sockets without it.
    advertised_address: Option<String> = None;
    /// Its port.
    advertised_port: Option<i64> = None;
    /// Number of this server, part of the ids it makes.
    server_id: i64 = 0;
    /// Requests longer than this many bytes do not go over UDP; 0 is no limit.
    udp_mtu: i64 = 0;
    /// The transport that they go over.
    udp_mtu_try_proto: Option<String> = None;
    /// Id of this instance, for `$iuid`.
    iuid: Option<String> = None;
    /// Most connections.
    tcp_max_connections: i64 = 2048;
    /// Seconds until an idle connection is closed.
    tcp_connection_lifetime: i64 = 120;
    /// Seconds that opening a connection may take.
    tcp_connect_timeout: i64 = 10;
    /// Most bytes that wait to be written to one connection.
    tcp_conn_wq_max: i64 = 65_536;
    /// Take messages without Content-Length on streams, as HTTP has them: they have no body.
    tcp_accept_no_cl: bool = false;
    /// Answer CRLF keepalives.
    tcp_crlf_ping: bool = true;
}

impl Settings {
    /// The parameters that `manifest` sets; the last of one name holds.
    pub fn new(manifest: &Manifest) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in &manifest.globals {
            settings.set(name, value);
        }
        settings
    }

    /// How many workers there are to be: at least one.
    pub fn workers(&self) -> usize {
        match self.children {
            Some(n) => usize::try_from(n).unwrap_or(1).clamp(1, 256),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Most bytes of the result of a format.
    pub fn format_limit(&self) -> usize {
        match usize::try_from(self.pv_buffer_size) {
            Ok(size @ 1..) => size - 1,
            _ => Settings::default().pv_buffer_size as usize - 1,
        }
    }

    /// Most further branches beside the first.
    pub fn branch_limit(&self) -> usize {
        usize::try_from(self.max_branches).unwrap_or(1).clamp(1, 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_the_right_type_holds() {
        let manifest = Manifest {
            globals: vec![
                ("children".into(), Setting::Int(3)),
                ("server_header".into(), Setting::Str(b"Server: x".to_vec())),
                ("debug".into(), Setting::Int(1)),
                ("debug".into(), Setting::Int(-1)),
                ("unknown".into(), Setting::Int(9)),
            ],
            ..Manifest::default()
        };
        let settings = Settings::new(&manifest);
        assert_eq!((settings.workers(), settings.debug), (3, -1));
        assert_eq!(settings.server_header.as_deref(), Some("Server: x"));
        assert!(Settings::NAMES.contains(&"max_while_loops"));
    }
}
