//! Writing messages (RFC 3261 §8.2.6, §9.1, §16.6, §17.1.1.3, §18.2.1). Everything is appended
//! to a buffer of the caller, so that nothing is allocated in steady state.

pub mod reply;
pub mod request;
pub mod tag;
pub mod via;

pub use reply::{Body, Reply};
pub use request::{ack_for_negative, cancel};
pub use tag::ToTag;
pub use via::{NewVia, ViaStamp};

/// Appends `n` in decimal.
pub fn write_number(out: &mut Vec<u8>, n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut n = n;
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `n` in lower-case hexadecimal without leading zeros.
pub fn write_hex(out: &mut Vec<u8>, n: u64) {
    let digits = (16 - n.leading_zeros() as usize / 4).max(1);
    for i in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(n >> (4 * i)) as usize & 15]);
    }
}

/// Appends `Content-Length: n` and a line end.
pub fn write_content_length(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(b"Content-Length: ");
    write_number(out, n as u64);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let mut out = Vec::new();
        write_number(&mut out, 0);
        write_number(&mut out, u64::MAX);
        assert_eq!(out, b"018446744073709551615");
        out.clear();
        for n in [0, 15, 16, 0xabc, u64::MAX] {
            write_hex(&mut out, n);
            out.push(b' ');
        }
        assert_eq!(out, b"0 f 10 abc ffffffffffffffff ");
    }
}
