//! What a transaction is found by: the server key of RFC 3261 §17.2.3 for requests, and our own
//! Via branch for answers (RFC 3261 §17.1.3).
//!
//! Our branch is `z9hG4bK` and then, in hexadecimal, the transaction's index and label and the
//! branch number, separated by dots: an answer is matched by reading it, without a search.
//!
//! Invariant: nothing here allocates but [`StoredKey::new`] and [`TransactionId::branch_param`].

use std::fmt;
use std::hash::Hasher;

use super::action::BranchIndex;

/// The start of a branch that RFC 3261 elements make (RFC 3261 §8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// Names a transaction in its table. The label is unpredictable and differs each time an index
/// is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId {
    /// Its place in the table (`$T(id_index)`).
    pub index: u32,
    /// Its label (`$T(id_label)`).
    pub label: u32,
}

impl TransactionId {
    /// The Via branch parameter of the request on `branch`, cookie included; writes it with
    /// [`fmt::Display`].
    pub fn branch_param(self, branch: BranchIndex) -> BranchParam {
        BranchParam { id: self, branch }
    }
}

/// A Via branch parameter that leads an answer back to its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchParam {
    /// The transaction.
    pub id: TransactionId,
    /// The branch in it.
    pub branch: BranchIndex,
}

impl BranchParam {
    /// Reads a branch parameter; `None` if it cannot be one of ours. The label must still be
    /// compared.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let rest = text.strip_prefix(MAGIC_COOKIE.as_bytes())?;
        let mut parts = rest.split(|&byte| byte == b'.');
        let index = hex(parts.next()?)?;
        let label = hex(parts.next()?)?;
        let branch = u8::try_from(hex(parts.next()?)?).ok()?;
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            id: TransactionId { index, label },
            branch,
        })
    }
}

impl fmt::Display for BranchParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TransactionId { index, label } = self.id;
        write!(f, "{MAGIC_COOKIE}{index:x}.{label:x}.{:x}", self.branch)
    }
}

/// One to eight lower-case hexadecimal digits.
fn hex(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    text.iter().try_fold(0u32, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u32::from(digit))
    })
}

/// What identifies a received request's transaction, borrowed from the message.
#[derive(Clone, Copy, Debug)]
pub struct ServerKey<'a> {
    method: &'a [u8],
    matching: Matching<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Matching<'a> {
    Branch {
        branch: &'a [u8],
        sent_by: &'a [u8],
    },
    Legacy {
        request_uri: &'a [u8],
        call_id: &'a [u8],
        from_tag: &'a [u8],
        cseq: &'a [u8],
        via: &'a [u8],
    },
}

impl<'a> ServerKey<'a> {
    /// The key of a request whose top Via branch starts with the magic cookie. `sent_by` is host
    /// and port as written, compared without regard to case. An ACK has the key of its INVITE.
    pub fn new(method: &'a [u8], branch: &'a [u8], sent_by: &'a [u8]) -> Self {
        Self {
            method: transaction_method(method),
            matching: Matching::Branch { branch, sent_by },
        }
    }

    /// The key of a request of an RFC 2543 element: `cseq` is the number as written, `via` the
    /// whole first Via value. The To tag is left out, since an ACK has one and its INVITE not.
    pub fn legacy(
        method: &'a [u8],
        request_uri: &'a [u8],
        call_id: &'a [u8],
        from_tag: &'a [u8],
        cseq: &'a [u8],
        via: &'a [u8],
    ) -> Self {
        Self {
            method: transaction_method(method),
            matching: Matching::Legacy {
                request_uri,
                call_id,
                from_tag,
                cseq,
                via,
            },
        }
    }

    /// The key of the INVITE that a CANCEL with this key is for (RFC 3261 §9.2).
    pub fn of_invite(self) -> Self {
        Self {
            method: b"INVITE",
            ..self
        }
    }

    /// The key of the transaction with this key's branch and another method.
    pub fn with_method(self, method: &'a [u8]) -> Self {
        Self {
            method: transaction_method(method),
            ..self
        }
    }

    /// The fields to compare, each with whether case counts.
    fn fields(&self) -> [(&'a [u8], bool); 6] {
        match self.matching {
            Matching::Branch { branch, sent_by } => [
                (self.method, true),
                (branch, true),
                (sent_by, false),
                (b"", true),
                (b"", true),
                (b"", true),
            ],
            Matching::Legacy {
                request_uri,
                call_id,
                from_tag,
                cseq,
                via,
            } => [
                (self.method, true),
                (request_uri, true),
                (call_id, true),
                (from_tag, true),
                (cseq, true),
                (via, true),
            ],
        }
    }

    /// Feeds the key to `hasher`; equal keys feed alike.
    pub(crate) fn hash(&self, hasher: &mut impl Hasher) {
        for (field, exact) in self.fields() {
            hasher.write_usize(field.len());
            if exact {
                hasher.write(field);
            } else {
                for chunk in field.chunks(32) {
                    let mut lower = [0; 32];
                    for (to, from) in lower.iter_mut().zip(chunk) {
                        *to = from.to_ascii_lowercase();
                    }
                    hasher.write(&lower);
                }
            }
        }
    }
}

fn transaction_method(method: &[u8]) -> &[u8] {
    if method == b"ACK" { b"INVITE" } else { method }
}

/// A key kept with its transaction, in one allocation.
#[derive(Clone, Debug)]
pub(crate) struct StoredKey(Box<[u8]>);

impl StoredKey {
    pub(crate) fn new(key: &ServerKey<'_>) -> Self {
        let fields = key.fields();
        let size = fields.iter().map(|(field, _)| field.len() + 4).sum();
        let mut bytes = Vec::with_capacity(size);
        for (field, _) in fields {
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(field);
        }
        Self(bytes.into_boxed_slice())
    }

    pub(crate) fn matches(&self, key: &ServerKey<'_>) -> bool {
        let mut rest = &*self.0;
        key.fields().into_iter().all(|(field, exact)| {
            let Some((length, tail)) = rest.split_first_chunk::<4>() else {
                return false;
            };
            let length = u32::from_le_bytes(*length) as usize;
            let Some((stored, tail)) = tail.split_at_checked(length) else {
                return false;
            };
            rest = tail;
            if exact {
                stored == field
            } else {
                stored.eq_ignore_ascii_case(field)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_leads_back_to_its_transaction() {
        let id = TransactionId {
            index: 0x1f2e,
            label: u32::MAX,
        };
        let text = id.branch_param(11).to_string();
        assert_eq!(text, "z9hG4bK1f2e.ffffffff.b");
        let parsed = BranchParam::parse(text.as_bytes());
        assert_eq!(parsed, Some(BranchParam { id, branch: 11 }));
    }

    #[test]
    fn foreign_branches_are_not_ours() {
        for text in [
            "",
            "z9hG4bK",
            "z9hG4bK.1.0",
            "z9hG4bK1.2",
            "z9hG4bK1.2.3.4",
            "z9hG4bK1.2.100",
            "z9hG4bK123456789.2.3",
            "1.2.3",
            "z9hG4bKA.2.3",
            "z9hG4bK1.2.",
            "z9hG4bK-1.2.3",
        ] {
            assert_eq!(BranchParam::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn keys_match_by_branch_sent_by_and_method() {
        let key = |method: &'static str, branch: &'static str, by: &'static str| {
            ServerKey::new(method.as_bytes(), branch.as_bytes(), by.as_bytes())
        };
        let stored = StoredKey::new(&key("INVITE", "z9hG4bK1", "Host.example:5060"));
        assert!(stored.matches(&key("INVITE", "z9hG4bK1", "host.EXAMPLE:5060")));
        assert!(stored.matches(&key("ACK", "z9hG4bK1", "host.example:5060")));
        assert!(stored.matches(&key("CANCEL", "z9hG4bK1", "host.example:5060").of_invite()));
        assert!(!stored.matches(&key("CANCEL", "z9hG4bK1", "host.example:5060")));
        assert!(!stored.matches(&key("INVITE", "z9hG4bk1", "host.example:5060")));
        assert!(!stored.matches(&key("INVITE", "z9hG4bK1", "host.example:5061")));
        assert!(!stored.matches(&key("INVITE", "z9hG4bK1", "host.example:506")));
        let legacy = ServerKey::legacy(b"INVITE", b"z9hG4bK1", b"", b"", b"", b"");
        assert!(!stored.matches(&legacy));
    }
}
