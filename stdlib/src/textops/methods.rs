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
    const WHAT: &'static str = "methods joined by |";

    fn parse(text: &[u8]) -> Result<Self, ConstantError> {
        let mut methods = Methods {
            known: 0,
            others: Vec::new(),
        };
        let mut offset = 0;
        for part in text.split(|c| *c == b'|') {
            let name = kcc_sip::token::trim(part);
            if !kcc_sip::token::is_token(name) {
                return Err(ConstantError {
                    offset,
                    message: "a method is missing here".to_owned(),
                });
            }
            let upper = name.to_ascii_uppercase();
            match Method::parse(&upper) {
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
