//! `is_method`.

use kcc_macros::part;
use kcc_runtime::declare::{ConstantError, Parse};
use kcc_sip::Method;

/// A set of methods: `INVITE|ACK`.
#[derive(Debug)]
pub struct Methods {
    known: u32,
    others: Vec<Box<[u8]>>,
}

impl Methods {
    /// Whether `name`, whose kind is `method`, is one of them.
    pub fn contain(&self, method: Method, name: &[u8]) -> bool {
        match method {
            Method::Other => self.others.iter().any(|other| **other == *name),
            method => self.known & method.bit() != 0,
        }
    }
}

impl Parse for Methods {
    const NAME: &'static str = "methods";
    const WHAT: &'static str = "a list of methods";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let mut methods = Methods {
            known: 0,
            others: Vec::new(),
        };
        // One separator at the end is passed over, as Kamailio does.
        let list = match text.strip_suffix(b"|").or(text.strip_suffix(b",")) {
            Some(list) if !list.is_empty() => list,
            _ => text,
        };
        let mut offset = 0;
        for part in list.split(|c| matches!(c, b'|' | b',')) {
            let name = kcc_sip::token::trim(part);
            let wrong = |message: &str| {
                let message = message.to_owned();
                Err(ConstantError { offset, message })
            };
            if !kcc_sip::token::is_token(name) {
                return wrong("a method is missing here");
            }
            let upper = name.to_ascii_uppercase();
            match Method::parse(&upper) {
                Method::Other if part.len() < list.len() => {
                    return wrong("a method that Kamailio does not know stands alone only");
                }
                Method::Other => methods.others.push(name.into()),
                method => methods.known |= method.bit(),
            }
            offset += part.len() + 1;
        }
        Ok(methods)
    }
}

/// `is_method`.
#[part(module = "textops")]
pub mod exports {
    use super::Methods;
    use kcc_runtime::declare::Const;
    use kcc_runtime::run::Run;

    /// True if the method of the request, or of the CSeq of a reply, is one of `methods`.
    ///
    /// ```cfg
    /// if (is_method("INVITE|SUBSCRIBE")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_method(run: &mut Run, methods: Const<Methods>) -> bool {
        methods.contain(run.message.method(), run.message.method_name())
    }
}
