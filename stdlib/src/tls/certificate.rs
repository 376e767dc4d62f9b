//! What the variables tell of a certificate (RFC 5280), in the forms that OpenSSL prints.
//!
//! A certificate comes from the peer: what of it cannot be read is absent.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// A certificate, read.
#[derive(Debug)]
pub(super) struct Certificate {
    /// Whom it is for.
    pub subject: Name,
    /// Who signed it.
    pub issuer: Name,
    /// Its number, decimal.
    pub serial: String,
    /// The version as it is encoded: 2 is version 3.
    pub version: String,
    /// `Nov 24 11:27:11 2026 GMT`.
    pub not_before: String,
    /// The same, of its end.
    pub not_after: String,
    /// Its end, in seconds since 1970.
    pub end: i64,
    /// It names itself as who signed it.
    pub self_issued: bool,
    /// Other names by [`Kind`], each in the order of the certificate.
    pub names: [Vec<String>; 4],
    /// It as PEM.
    pub pem: String,
    /// It as PEM, escaped as in a URL.
    pub escaped: String,
}

/// A distinguished name.
#[derive(Debug, Default)]
pub(super) struct Name {
    /// `/C=DE/CN=name`, escaped.
    pub line: String,
    /// By [`Part`]; of several the first.
    pub parts: [Option<String>; 7],
}

/// A part of a distinguished name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Country,
    State,
    Locality,
    Organization,
    Unit,
    CommonName,
    UserId,
}

/// A kind of other name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Host,
    Uri,
    Email,
    Ip,
}

/// Identifiers of attributes with OpenSSL's short names; those of [`Part`] first and in its order.
const ATTRIBUTES: [(&str, &str); 19] = [
    ("2.5.4.6", "C"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.3", "CN"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.9", "street"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
];

impl Certificate {
    /// Reads a certificate in DER; `None` where it is none.
    pub fn read(der: &[u8]) -> Option<Certificate> {
        let (_, read) = X509Certificate::from_der(der).ok()?;
        let validity = read.validity();
        let pem = pem(der);
        Some(Certificate {
            subject: Name::of(read.subject()),
            issuer: Name::of(read.issuer()),
            serial: decimal(read.raw_serial()),
            version: read.version().0.to_string(),
            not_before: date(&validity.not_before),
            not_after: date(&validity.not_after),
            end: validity.not_after.timestamp(),
            self_issued: read.subject().as_raw() == read.issuer().as_raw(),
            names: names(&read),
            escaped: escape(&pem),
            pem,
        })
    }
}

impl Name {
    fn of(name: &X509Name<'_>) -> Name {
        let mut made = Name::default();
        for set in name.iter() {
            for (nth, attribute) in set.iter().enumerate() {
                let id = attribute.attr_type().to_id_string();
                let known = ATTRIBUTES.iter().position(|(known, _)| *known == id);
                let short = known.and_then(|at| ATTRIBUTES.get(at));
                made.line.push(if nth == 0 { '/' } else { '+' });
                made.line.push_str(short.map_or(&id, |(_, short)| *short));
                made.line.push('=');
                escape_into(&mut made.line, attribute.as_slice());
                if let Some(part) = known.and_then(|at| made.parts.get_mut(at)) {
                    part.get_or_insert_with(|| text(attribute));
                }
            }
        }
        made
    }

    /// The first of the parts of a kind.
    pub fn part(&self, part: Part) -> Option<&str> {
        self.parts.get(part as usize)?.as_deref()
    }
}

/// The value of an attribute in UTF-8, whatever kind of string it is (X.680 §41).
fn text(attribute: &AttributeTypeAndValue<'_>) -> String {
    let bytes = attribute.as_slice();
    match attribute.attr_value().tag().0 {
        // TeletexString, taken for Latin-1 as OpenSSL does.
        20 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        // BMPString.
        30 => {
            let units = bytes.chunks_exact(2).map(|pair| {
                pair.iter()
                    .fold(0, |unit, byte| unit << 8 | u16::from(*byte))
            });
            char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Appends `bytes` with what could be mistaken escaped.
fn escape_into(line: &mut String, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'/' | b'+' => line.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => line.push(char::from(*byte)),
            // Writing into a string does not fail.
            other => _ = write!(line, "\\x{other:02X}"),
        }
    }
}

fn names(read: &X509Certificate<'_>) -> [Vec<String>; 4] {
    let mut names: [Vec<String>; 4] = Default::default();
    let Ok(Some(extension)) = read.subject_alternative_name() else {
        return names;
    };
    for name in &extension.value.general_names {
        let (kind, name) = match name {
            GeneralName::DNSName(name) => (Kind::Host, (*name).to_owned()),
            GeneralName::URI(name) => (Kind::Uri, (*name).to_owned()),
            GeneralName::RFC822Name(name) => (Kind::Email, (*name).to_owned()),
            GeneralName::IPAddress(bytes) => match address(bytes) {
                Some(address) => (Kind::Ip, address),
                None => continue,
            },
            _ => continue,
        };
        if let Some(list) = names.get_mut(kind as usize) {
            list.push(name);
        }
    }
    names
}

/// An address; one of IPv6 with all its groups, as `$si` has it.
fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).to_string());
    }
    let v6 = std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
    Some(v6.segments().map(|group| format!("{group:x}")).join(":"))
}

fn date(time: &ASN1Time) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let at = time.to_datetime();
    let month = MONTHS.get(usize::from(u8::from(at.month())) - 1);
    format!(
        "{} {:2} {:02}:{:02}:{:02} {} GMT",
        month.unwrap_or(&""),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.year()
    )
}

/// A number of any length, from two's complement.
fn decimal(bytes: &[u8]) -> String {
    // A certificate has at most 20 bytes here (RFC 5280 §4.1.2.2); more are not worth the time.
    let bytes = bytes.get(..bytes.len().min(64)).unwrap_or_default();
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let mut digits: Vec<u8> = vec![0];
    for byte in bytes {
        let mut carry = u32::from(if negative { !byte } else { *byte });
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    if negative {
        // What two's complement is short of.
        for digit in &mut digits {
            *digit += 1;
            if *digit < 10 {
                break;
            }
            *digit = 0;
        }
        if digits.last() == Some(&0) {
            digits.push(1);
        }
    }
    let digits = digits.iter().rev().map(|digit| char::from(b'0' + digit));
    negative.then_some('-').into_iter().chain(digits).collect()
}

fn pem(der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in der.chunks(48) {
        for group in line.chunks(3) {
            let byte = |n: usize| group.get(n).map_or(0, |byte| u32::from(*byte));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for n in 0..4 {
                let sextet = (bits >> (18 - 6 * n)) as usize & 63;
                let letter = ALPHABET.get(sextet).filter(|_| n <= group.len());
                text.push(letter.map_or('=', |letter| char::from(*letter)));
            }
        }
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

fn escape(pem: &str) -> String {
    let mut text = String::with_capacity(pem.len() + pem.len() / 8);
    for byte in pem.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' => text.push(char::from(byte)),
            // Writing into a string does not fail.
            other => _ = write!(text, "%{other:02x}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_openssl() {
        let pem_text = include_str!("certificate.pem");
        let (_, read) = x509_parser::pem::parse_x509_pem(pem_text.as_bytes()).unwrap();
        let read = Certificate::read(&read.contents).unwrap();
        assert_eq!(read.issuer.line, "/CN=Test CA/O=Authority/C=DE");
        assert_eq!(
            read.subject.line,
            "/C=DE/ST=Berlin/L=Mitte/O=Example Org/OU=Unit B/CN=alice.example/UID=u-17\
             /emailAddress=alice@example.com"
        );
        assert_eq!(read.subject.part(Part::UserId), Some("u-17"));
        assert_eq!(read.subject.part(Part::Unit), Some("Unit B"));
        assert_eq!(read.issuer.part(Part::CommonName), Some("Test CA"));
        assert_eq!(read.issuer.part(Part::State), None);
        assert_eq!((&*read.serial, &*read.version), ("4660", "2"));
        assert_eq!(read.not_before, "Nov 24 11:27:11 2026 GMT");
        assert_eq!(read.not_after, "Nov 21 11:27:11 2036 GMT");
        assert_eq!(
            read.names[Kind::Host as usize],
            ["alice.example", "alt.example"]
        );
        assert_eq!(read.names[Kind::Uri as usize][0], "sip:alice.example");
        assert_eq!(read.names[Kind::Email as usize][1], "b@example.com");
        assert_eq!(
            read.names[Kind::Ip as usize],
            ["192.0.2.7", "2001:db8:0:0:0:0:0:7"]
        );
        assert_eq!(read.pem, pem_text);
        assert!(
            read.escaped
                .starts_with("-----BEGIN%20CERTIFICATE-----%0aMIIE")
        );
        assert!(
            read.escaped
                .ends_with("%3d%0a-----END%20CERTIFICATE-----%0a")
        );
    }

    #[test]
    fn numbers_lines_and_what_is_no_certificate() {
        let long = [
            0, 0xf1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 0x23, 0x45, 0x67, 0x89,
        ];
        assert_eq!(decimal(&long), "19104903046106337334273056794505");
        for (bytes, number) in [(&[0xfb][..], "-5"), (&[0xff, 0], "-256"), (&[], "0")] {
            assert_eq!(decimal(bytes), number);
        }
        let mut line = String::new();
        escape_into(&mut line, "Müller + Co".as_bytes());
        assert_eq!(line, "M\\xC3\\xBCller \\+ Co");
        assert!(Certificate::read(b"0\x82").is_none());
    }
}
