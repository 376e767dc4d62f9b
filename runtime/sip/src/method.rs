//! Request methods (RFC 3261 §7.1 and the RFCs that add methods).
//!
//! Each method has the bit that Kamailio gives it, so that a set of methods is an integer.

/// A request method. Methods that are not known are [`Method::Other`]; their name stays in the
/// message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Method {
    /// RFC 3261.
    Invite = 1,
    /// RFC 3261.
    Cancel = 2,
    /// RFC 3261.
    Ack = 4,
    /// RFC 3261.
    Bye = 8,
    /// RFC 6086.
    Info = 16,
    /// RFC 3261.
    Register = 32,
    /// RFC 6665.
    Subscribe = 64,
    /// RFC 6665.
    Notify = 128,
    /// RFC 3428.
    Message = 256,
    /// RFC 3261.
    Options = 512,
    /// RFC 3262.
    Prack = 1024,
    /// RFC 3311.
    Update = 2048,
    /// RFC 3515.
    Refer = 4096,
    /// RFC 3903.
    Publish = 8192,
    /// Kamailio's DMQ replication.
    Kdmq = 16384,
    /// HTTP.
    Get = 32768,
    /// HTTP.
    Post = 65536,
    /// HTTP.
    Put = 131_072,
    /// HTTP.
    Delete = 262_144,
    /// Any other token.
    Other = 524_288,
}

impl Method {
    /// Every known method, in the order of their bits, without [`Method::Other`].
    pub const ALL: [Method; 19] = [
        Method::Invite,
        Method::Cancel,
        Method::Ack,
        Method::Bye,
        Method::Info,
        Method::Register,
        Method::Subscribe,
        Method::Notify,
        Method::Message,
        Method::Options,
        Method::Prack,
        Method::Update,
        Method::Refer,
        Method::Publish,
        Method::Kdmq,
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Delete,
    ];

    /// The method called `name`. RFC 3261 §7.1: names are case-sensitive; Kamailio takes the
    /// known ones in any case, and so does this.
    #[inline]
    pub fn parse(name: &[u8]) -> Method {
        let Some(first) = name.first() else {
            return Method::Other;
        };
        let candidates: &[Method] = match first | 0x20 {
            b'i' => &[Method::Invite, Method::Info],
            b'a' => &[Method::Ack],
            b'b' => &[Method::Bye],
            b'c' => &[Method::Cancel],
            b'r' => &[Method::Register, Method::Refer],
            b's' => &[Method::Subscribe],
            b'n' => &[Method::Notify],
            b'm' => &[Method::Message],
            b'o' => &[Method::Options],
            b'p' => &[Method::Prack, Method::Publish, Method::Post, Method::Put],
            b'u' => &[Method::Update],
            b'k' => &[Method::Kdmq],
            b'g' => &[Method::Get],
            b'd' => &[Method::Delete],
            _ => &[],
        };
        candidates
            .iter()
            .copied()
            .find(|m| m.as_str().as_bytes().eq_ignore_ascii_case(name))
            .unwrap_or(Method::Other)
    }

    /// Kamailio's bit of the method.
    #[inline]
    pub const fn bit(self) -> u32 {
        self as u32
    }

    /// The method whose bit is `bit`.
    pub fn from_bit(bit: u32) -> Option<Method> {
        if bit == Method::Other.bit() {
            return Some(Method::Other);
        }
        Method::ALL.into_iter().find(|m| m.bit() == bit)
    }

    /// The name as it stands on the wire; `"OTHER"` for [`Method::Other`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Invite => "INVITE",
            Method::Cancel => "CANCEL",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Info => "INFO",
            Method::Register => "REGISTER",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Message => "MESSAGE",
            Method::Options => "OPTIONS",
            Method::Prack => "PRACK",
            Method::Update => "UPDATE",
            Method::Refer => "REFER",
            Method::Publish => "PUBLISH",
            Method::Kdmq => "KDMQ",
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Other => "OTHER",
        }
    }

    /// True for methods whose 2xx makes a dialog: INVITE, SUBSCRIBE, REFER.
    #[inline]
    pub const fn makes_dialog(self) -> bool {
        matches!(self, Method::Invite | Method::Subscribe | Method::Refer)
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_by_name_and_bit() {
        for m in Method::ALL {
            assert_eq!(Method::parse(m.as_str().as_bytes()), m);
            assert_eq!(Method::from_bit(m.bit()), Some(m));
        }
        assert_eq!(Method::parse(b"FOO"), Method::Other);
        assert_eq!(Method::parse(b""), Method::Other);
        assert_eq!(Method::Update.bit(), 2048);
    }
}
