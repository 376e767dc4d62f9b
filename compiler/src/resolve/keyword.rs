//! Tests of keywords: `method == INVITE`, `src_ip == 10.0.0.0/8`, `uri == myself` (semantics
//! reference §8.1). Each is the test of a variable.

use kcc_runtime::declare::{ArgKind, Parse as _};
use kcc_runtime::intrinsics::Network;
use kcc_sip::method::Method;

use super::core_call::protocol_text;
use super::node::{Node, NodeKind, Static, binary_text, comparison};
use super::{Resolver, context, lossy};
use crate::diagnostic::Diagnostic;
use crate::ir::{Arg, Comparison, Expr, Operand, Own, PvRef};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Test, TestSubject, TestValue, UnaryOp};

impl Resolver<'_> {
    /// A test: 0 or 1. `None` after an error.
    pub(super) fn keyword_test(&mut self, test: &Test) -> Option<Expr> {
        use TestSubject::*;
        if matches!(test.subject, SndIp | ToIp) && self.kind != kcc_runtime::declare::Routes::ONSEND
        {
            let message = "this can be tested in `onsend_route` only";
            self.error("wrong-route-kind", message, test.subject_span);
            return None;
        }
        if !self.can_be_tested(test) {
            return None;
        }
        let span = test.subject_span;
        if matches!(test.subject, SndPort | ToPort | SndProto | SndAf)
            && self.kind != kcc_runtime::declare::Routes::ONSEND
        {
            let message = "this is known in `onsend_route` only";
            self.report(
                Diagnostic::warning("unknown-here", message)
                    .label(span, "")
                    .note("the whole condition does not hold here, negated or not"),
            );
            return Some(Expr::GiveUp);
        }
        match test.subject {
            Method => self.method_test(test),
            Uri | Status => {
                let code = self.keyword_pv("rs", None, span)?;
                let uri = self.keyword_pv("ru", None, span)?;
                self.text_test(test, Expr::Else(Box::new(code), Box::new(uri)))
            }
            FromUri => {
                let uri = self.keyword_pv("fu", None, span)?;
                self.text_test(test, uri)
            }
            ToUri => {
                let uri = self.keyword_pv("tu", None, span)?;
                self.text_test(test, uri)
            }
            SrcIp | DstIp | SndIp | ToIp => {
                let address = match test.subject {
                    SrcIp => self.keyword_pv("si", None, span)?,
                    DstIp => self.keyword_pv("Ri", None, span)?,
                    SndIp => self.keyword_pv("sndfrom", Some("ip"), span)?,
                    _ => self.keyword_pv("snd", Some("ip"), span)?,
                };
                self.address_test(test, address)
            }
            SrcPort | DstPort | SndPort | ToPort | Af | SndAf | MsgLen => {
                let number = match test.subject {
                    SrcPort => self.keyword_pv("sp", None, span)?,
                    DstPort => self.keyword_pv("Rp", None, span)?,
                    SndPort => self.keyword_pv("sndfrom", Some("port"), span)?,
                    ToPort => self.keyword_pv("snd", Some("port"), span)?,
                    Af => self.keyword_pv("af", Some("id"), span)?,
                    SndAf => self.keyword_pv("snd", Some("af"), span)?,
                    // Of the message that is being sent.
                    MsgLen if self.kind == kcc_runtime::declare::Routes::ONSEND => {
                        self.keyword_pv("snd", Some("len"), span)?
                    }
                    _ => self.keyword_pv("ml", None, span)?,
                };
                self.number_test(test, context::to_int(number))
            }
            Proto => {
                let protocol = self.keyword_pv("pr", None, span)?;
                self.protocol_test(test, protocol)
            }
            SndProto => {
                let key = match &test.value {
                    TestValue::Protocol(..) => "sproto",
                    _ => "proto",
                };
                let protocol = self.keyword_pv("snd", Some(key), span)?;
                self.protocol_test(test, protocol)
            }
        }
    }

    /// Whether this keyword can be compared so, and with that.
    fn can_be_tested(&mut self, test: &Test) -> bool {
        use BinaryOp::{Equal, Match, NotEqual, StrEqual, StrNotEqual};
        let (integer, method, matched) = match test.subject {
            TestSubject::Method => (false, true, true),
            TestSubject::Uri | TestSubject::Status | TestSubject::FromUri | TestSubject::ToUri => {
                (false, false, true)
            }
            TestSubject::SrcIp | TestSubject::DstIp | TestSubject::SndIp | TestSubject::ToIp => {
                (false, false, true)
            }
            TestSubject::Proto | TestSubject::SndProto => (false, false, false),
            _ => (true, false, false),
        };
        let fits = match test.op {
            Equal | NotEqual | StrEqual | StrNotEqual => true,
            Match => matched,
            BinaryOp::Less | BinaryOp::Greater | BinaryOp::LessEqual | BinaryOp::GreaterEqual => {
                integer
            }
            _ => false,
        };
        if !fits {
            let subject = lossy(self.sources.text(test.subject_span)).into_owned();
            let op = binary_text(test.op);
            let message = format!("`{subject}` cannot be compared with `{op}`");
            let diagnostic = Diagnostic::error("bad-test", message).label(test.op_span, "");
            let variable = match test.subject {
                TestSubject::Method => "$rm",
                TestSubject::Uri => "$ru",
                TestSubject::Status => "$rs",
                TestSubject::FromUri => "$fu",
                TestSubject::ToUri => "$tu",
                TestSubject::SrcIp => "$si",
                TestSubject::DstIp => "$Ri",
                TestSubject::Proto => "$proto",
                TestSubject::SrcPort => "$sp",
                TestSubject::DstPort => "$Rp",
                TestSubject::MsgLen => "$ml",
                _ => "",
            };
            self.report(match variable.is_empty() {
                true => diagnostic,
                false => diagnostic.help(format!("test `{variable}`")),
            });
            return false;
        }
        let text = !integer && !matches!(test.subject, TestSubject::Proto | TestSubject::SndProto);
        let wrong = match &test.value {
            TestValue::Myself(span) if method || test.op == Match => Some(*span),
            TestValue::Network(network) if test.op == Match => Some(network.span),
            // A single word is a host only of an address.
            TestValue::Word(word)
                if text && !method && !is_address(test.subject) && is_plain_word(&word.text) =>
            {
                Some(word.span)
            }
            _ => None,
        };
        if let Some(span) = wrong {
            let subject = lossy(self.sources.text(test.subject_span)).into_owned();
            let message = format!("`{subject}` cannot be compared with this");
            let diagnostic = Diagnostic::error("bad-test", message).label(span, "");
            self.report(match &test.value {
                TestValue::Word(_) => diagnostic.help("write it in quotes"),
                _ => diagnostic,
            });
        }
        wrong.is_none()
    }

    /// A variable that the language itself reads, whether or not its module is loaded.
    fn keyword_pv(&mut self, name: &str, inner: Option<&str>, span: Span) -> Option<Expr> {
        let Some(decl) = self.names.any_pv(name) else {
            self.unsupported(
                "unsupported-keyword",
                "this keyword is known to Kamailio",
                span,
            );
            return None;
        };
        let mut args = Vec::new();
        if let Some(wanted) = &decl.inner {
            args.push(match (inner, wanted.kind) {
                (None, _) => Arg::Absent,
                (Some(inner), ArgKind::Constant(kind) | ArgKind::Parsed(kind)) => {
                    Arg::Constant(self.constant(kind, inner.as_bytes(), |_, _| span)?)
                }
                (Some(inner), _) => Arg::Value(Expr::text(inner.as_bytes())),
            });
        }
        if decl.index {
            args.push(Arg::Absent);
        }
        Some(Expr::Pv(PvRef { decl, args }))
    }

    fn method_test(&mut self, test: &Test) -> Option<Expr> {
        let read = self.keyword_pv("rm", None, test.subject_span)?;
        let name = match &test.value {
            TestValue::Word(word) => Some(word.text.as_bytes().to_vec()),
            TestValue::Expr(expr) => match &self.node(expr).kind {
                NodeKind::Str(text) => Some(text.to_vec()),
                _ => None,
            },
            _ => None,
        };
        let equality = matches!(
            test.op,
            BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::StrEqual | BinaryOp::StrNotEqual
        );
        if let (true, Some(name)) = (equality, &name) {
            let method = Method::parse(name);
            if method != Method::Other {
                let name = Expr::text(method.as_str().as_bytes());
                let same = Expr::Equal(Box::new(read), Box::new(Operand::Value(name)));
                return Some(signed(test.op, same));
            }
        }
        self.text_test(test, read)
    }

    /// Text without regard to case; `myself`; patterns.
    fn text_test(&mut self, test: &Test, read: Expr) -> Option<Expr> {
        let text = context::to_text(read);
        match &test.value {
            TestValue::Word(word) => Some(same_word(test.op, text, word.text.as_bytes())),
            TestValue::Myself(_) => Some(myself(test.op, Own::Uri, text)),
            TestValue::Expr(expr) => {
                let node = self.node(expr);
                self.compared_text(test, text, &node)
            }
            _ => {
                self.error(
                    "bad-test",
                    "this cannot be compared with that",
                    test.op_span,
                );
                None
            }
        }
    }

    fn compared_text(&mut self, test: &Test, text: Expr, node: &Node) -> Option<Expr> {
        if node.is_error() {
            return None;
        }
        if test.op == BinaryOp::Match {
            if node.static_type() == Some(Static::Int) {
                self.refuse_number(node);
                return None;
            }
            let read = Node::new(NodeKind::Select(text), test.subject_span);
            let whole = Node::new(
                NodeKind::Binary(BinaryOp::Match, Box::new(read), Box::new(node.clone())),
                test.subject_span,
            );
            return Some(self.int(&whole));
        }
        let other = self.text_expr(node);
        Some(signed(
            test.op,
            Expr::SameWord(Box::new(text), Box::new(other)),
        ))
    }

    fn address_test(&mut self, test: &Test, read: Expr) -> Option<Expr> {
        let text = context::to_text(read);
        let network = match &test.value {
            TestValue::Myself(_) => return Some(myself(test.op, Own::Address, text)),
            TestValue::Network(network) => {
                let mask = network.mask.map(|mask| match mask {
                    crate::syntax::ast::NetworkMask::Bits(bits) => format!("/{bits}"),
                    crate::syntax::ast::NetworkMask::Mask(mask) => format!("/{mask}"),
                });
                format!("{}{}", network.address, mask.unwrap_or_default())
            }
            TestValue::Expr(expr) => {
                let node = self.node(expr);
                match &node.kind {
                    NodeKind::Error => return None,
                    NodeKind::Str(network) if test.op != BinaryOp::Match => {
                        let network = lossy(network).into_owned();
                        if Network::parse(network.as_bytes()).is_err() && !looks_like_host(&network)
                        {
                            let message = "no address is equal to this";
                            self.warning("never-equal", message, node.span);
                            return Some(signed(test.op, Expr::Int(0)));
                        }
                        network
                    }
                    _ if test.op == BinaryOp::Match => {
                        return self.compared_text(test, text, &node);
                    }
                    NodeKind::Int(_) | NodeKind::Unary(UnaryOp::Int, _) => {
                        self.refuse_number(&node);
                        return None;
                    }
                    _ => {
                        let other = self.text_expr(&node);
                        let within = Expr::Within(Box::new(text), Box::new(other));
                        return Some(signed(test.op, within));
                    }
                }
            }
            TestValue::Word(word) => word.text.to_string(),
            _ => {
                self.error("bad-test", "an address is expected", test.op_span);
                return None;
            }
        };
        if Network::parse(network.as_bytes()).is_err() && looks_like_host(&network) {
            let message = "comparing an address with a host name is known to Kamailio";
            self.unsupported("unsupported-keyword", message, test.op_span);
            return None;
        }
        let span = test.op_span;
        let number = self.constant(Network::KIND, network.as_bytes(), |_, _| span)?;
        Some(signed(test.op, Expr::InNetwork(Box::new(text), number)))
    }

    fn refuse_number(&mut self, node: &Node) {
        let message = "a string is expected, and this is a number";
        self.error("type-mismatch", message, node.span);
    }

    fn number_test(&mut self, test: &Test, number: Expr) -> Option<Expr> {
        let other = match &test.value {
            TestValue::Expr(expr) => {
                let node = self.node(expr);
                if node.is_error() {
                    return None;
                }
                self.int(&node)
            }
            _ => {
                self.error("bad-test", "a number is expected", test.op_span);
                return None;
            }
        };
        let op = comparison(test.op).unwrap_or(match test.op {
            BinaryOp::StrNotEqual => Comparison::NotEqual,
            _ => Comparison::Equal,
        });
        Some(Expr::Compare(op, Box::new(number), Box::new(other)))
    }

    fn protocol_test(&mut self, test: &Test, read: Expr) -> Option<Expr> {
        match &test.value {
            TestValue::Protocol(protocol, _) => {
                let text = context::to_text(read);
                Some(same_word(
                    test.op,
                    text,
                    protocol_text(*protocol).as_bytes(),
                ))
            }
            TestValue::Expr(expr) => {
                let node = self.node(expr);
                match &node.kind {
                    NodeKind::Error => None,
                    NodeKind::Str(_) => {
                        let message = "`proto` is never equal to a string";
                        let diagnostic = Diagnostic::warning("never-equal", message)
                            .label(node.span, "")
                            .help("write the protocol without quotes, or test `$proto`");
                        self.report(diagnostic);
                        Some(signed(test.op, Expr::Int(0)))
                    }
                    _ => {
                        let number = match read {
                            Expr::Pv(pv) if pv.decl.read_int.is_some() => Expr::PvInt(pv),
                            other => context::to_int(other),
                        };
                        self.number_test(test, number)
                    }
                }
            }
            _ => {
                self.error("bad-test", "a protocol is expected", test.op_span);
                None
            }
        }
    }
}

fn is_address(subject: TestSubject) -> bool {
    use TestSubject::{DstIp, SndIp, SrcIp, ToIp};
    matches!(subject, SrcIp | DstIp | SndIp | ToIp)
}

/// Whether it is one word, and no host name with dots.
fn is_plain_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn myself(op: BinaryOp, own: Own, text: Expr) -> Expr {
    signed(op, Expr::IsOwn(own, Box::new(text)))
}

fn same_word(op: BinaryOp, text: Expr, word: &[u8]) -> Expr {
    signed(
        op,
        Expr::SameWord(Box::new(text), Box::new(Expr::text(word))),
    )
}

/// The test, or its contrary for `!=` and `ne`.
fn signed(op: BinaryOp, test: Expr) -> Expr {
    match op {
        BinaryOp::NotEqual | BinaryOp::StrNotEqual => Expr::Not(Box::new(test)),
        _ => test,
    }
}

fn looks_like_host(text: &str) -> bool {
    let host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    text.bytes().all(host) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
