//! `options_reply` (RFC 3261 §11.2).

use kcc_macros::part;

/// `options_reply`.
#[part(module = "siputils")]
pub mod exports {
    use kcc_runtime::run::Run;
    use kcc_sip::Method;

    use super::super::exports::Params;

    /// Answers an OPTIONS that is for this server and names no user with 200: what it accepts is in
    /// `options_accept` and its like. False for any other request.
    ///
    /// ```cfg
    /// if (is_method("OPTIONS") && uri == myself) {
    ///     options_reply();
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request")]
    fn options_reply(run: &mut Run) -> Result<bool, String> {
        if run.message.method() != Method::Options {
            return Err("this is no OPTIONS".to_owned());
        }
        let Some(uri) = run.parsed_uri() else {
            return Err("the Request-URI cannot be parsed".to_owned());
        };
        if !uri.user_or_empty().is_empty() {
            return Err("the Request-URI has a user: the answer is not ours".to_owned());
        }
        let program = run.program.clone();
        let params = program.params::<Params>();
        let mut lines = Vec::new();
        for (name, value) in [
            (&b"Accept: "[..], &params.options_accept),
            (b"Accept-Encoding: ", &params.options_accept_encoding),
            (b"Accept-Language: ", &params.options_accept_language),
            (b"Supported: ", &params.options_support),
        ] {
            lines.extend_from_slice(name);
            lines.extend_from_slice(value);
            lines.extend_from_slice(b"\r\n");
        }
        run.edits
            .append_to_reply(&lines)
            .map_err(|error| error.to_string())?;
        let sent = if run.transaction.is_some() {
            run.reply_in_transaction(200, b"OK")
        } else {
            run.reply_stateless(200, b"OK")
        };
        Ok(sent)
    }
}
