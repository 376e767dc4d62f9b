//! Parameters of the Request-URI, and comparing URIs.

use kcc_macros::part;
use kcc_runtime::run::Run;
use kcc_sip::Uri;
use kcc_sip::params::Params;
use kcc_sip::uri::UriParts;

/// Port of a URI, the usual one where there is none.
fn same_place(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.user_or_empty() == b.user_or_empty()
        && a.host.eq_ignore_ascii_case(b.host)
        && a.port_or_default() == b.port_or_default()
}

/// Puts the Request-URI with the parameters that `write` makes in the place of the old one.
fn set_params(run: &mut Run, write: impl FnOnce(&Params<'_>, &mut Vec<u8>)) -> Result<(), String> {
    let uri = Uri::parse(run.uri()).map_err(|error| error.to_string())?;
    let (mut params, mut text) = (Vec::new(), Vec::new());
    write(&uri.params, &mut params);
    let parts = UriParts {
        params: &params,
        ..UriParts::from(uri)
    };
    parts.write(&mut text);
    run.target.uri.set(&text);
    Ok(())
}

/// `uri_param` and its like.
#[part(module = "siputils")]
pub mod exports {
    use super::{Params, Uri, same_place, set_params};
    use kcc_runtime::declare::{Place, Raw, Text};
    use kcc_runtime::run::Run;
    use kcc_runtime::value::Value;
    use kcc_sip::HeaderKind;

    /// True if the Request-URI has the parameter `name`: with the value `value`, or without a
    /// value where none is given.
    ///
    /// ```cfg
    /// if (uri_param("user", "phone")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request|failure|branch")]
    fn uri_param(run: &mut Run, name: Text, value: Option<Text>) -> bool {
        let uri = run.parsed_uri();
        let found = uri.as_ref().and_then(|uri| uri.params.find(name));
        found.is_some_and(|param| match (value, param.value) {
            (None, found) => found.is_none_or(<[u8]>::is_empty),
            (Some(value), Some(found)) => found.eq_ignore_ascii_case(value),
            (Some(_), None) => false,
        })
    }

    /// True if the Request-URI has the parameter `name`, with whatever value.
    ///
    /// ```cfg
    /// if (uri_param_any("transport")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request|failure|branch")]
    fn uri_param_any(run: &mut Run, name: Text) -> bool {
        run.parsed_uri().is_some_and(|uri| uri.params.has(name))
    }

    /// Removes the parameter `name` from the Request-URI. False where there is none.
    ///
    /// ```cfg
    /// uri_param_rm("transport");
    /// ```
    #[function(routes = "request|failure|branch")]
    fn uri_param_rm(run: &mut Run, name: Text) -> Result<bool, String> {
        if !run.parsed_uri().is_some_and(|uri| uri.params.has(name)) {
            return Ok(false);
        }
        set_params(run, |params, out| {
            for param in params.iter() {
                if !param.name.eq_ignore_ascii_case(name)
                    && let Some(range) = Params::range_with_semicolon(params.raw(), &param)
                {
                    out.extend_from_slice(params.raw().get(range).unwrap_or_default());
                }
            }
        })?;
        Ok(true)
    }

    /// Adds the parameter `param`, `name` or `name=value`, to the Request-URI.
    ///
    /// ```cfg
    /// add_uri_param("user=phone");
    /// ```
    #[function(routes = "request")]
    fn add_uri_param(run: &mut Run, param: Raw) -> Result<bool, String> {
        if !param.0.is_empty() {
            set_params(run, |params, out| {
                out.extend_from_slice(params.raw());
                out.push(b';');
                out.extend_from_slice(param.0);
            })?;
        }
        Ok(true)
    }

    /// Puts the value of the parameter `name` of the Request-URI into `target`. False where there
    /// is none.
    ///
    /// ```cfg
    /// if (get_uri_param("transport", "$var(t)")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request|local")]
    fn get_uri_param(run: &mut Run, name: Raw, target: Place) -> bool {
        let found = run
            .parsed_uri()
            .and_then(|uri| uri.params.find(name.0))
            .map(|param| param.value.unwrap_or_default().to_vec());
        found.is_some_and(|value| run.write(target, Value::Str(&value)))
    }

    /// True if the two URIs are the same by RFC 3261 §19.1.4.
    ///
    /// ```cfg
    /// if (cmp_uri("$ru", "$fu")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn cmp_uri(_run: &mut Run, first: Text, second: Text) -> bool {
        match (Uri::parse(first), Uri::parse(second)) {
            (Ok(first), Ok(second)) => first.same_as(&second),
            _ => false,
        }
    }

    /// True if user, host and port of the two URIs are the same.
    ///
    /// ```cfg
    /// if (cmp_aor("$fu", "$tu")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn cmp_aor(_run: &mut Run, first: Text, second: Text) -> bool {
        match (Uri::parse(first), Uri::parse(second)) {
            (Ok(first), Ok(second)) => same_place(&first, &second),
            _ => false,
        }
    }

    /// True if both are names of the same header field: long or compact, in any case.
    ///
    /// ```cfg
    /// if (cmp_hdr_name("m", "Contact")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn cmp_hdr_name(_run: &mut Run, first: Text, second: Text) -> bool {
        match (HeaderKind::parse(first), HeaderKind::parse(second)) {
            (HeaderKind::Other, HeaderKind::Other) => first.eq_ignore_ascii_case(second),
            (first, second) => first == second,
        }
    }

    /// True if `text` is a URI.
    ///
    /// ```cfg
    /// if (is_uri("$var(x)")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_uri(_run: &mut Run, text: Text) -> bool {
        Uri::parse(text).is_ok()
    }

    /// True if the URI `uri`, the Request-URI where none is given, has the parameter `gr`
    /// (RFC 5627).
    ///
    /// ```cfg
    /// if (is_gruu()) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "any")]
    fn is_gruu(run: &mut Run, uri: Option<Text>) -> bool {
        let text = uri.unwrap_or_else(|| run.uri());
        Uri::parse(text).is_ok_and(|uri| uri.params.has(b"gr"))
    }

    /// True if the user that the request's Authorization or Proxy-Authorization names is `user`.
    /// Whether the credentials are right was checked before.
    ///
    /// ```cfg
    /// if (is_user("alice")) {
    ///     exit;
    /// }
    /// ```
    #[function(routes = "request|local")]
    fn is_user(run: &mut Run, user: Text) -> bool {
        [HeaderKind::Authorization, HeaderKind::ProxyAuthorization]
            .into_iter()
            .filter_map(|kind| run.message.value(kind))
            .filter_map(super::user_of)
            .next()
            .is_some_and(|found| found == user)
    }
}

/// The user name in digest credentials.
fn user_of(credentials: &[u8]) -> Option<&[u8]> {
    let rest = kcc_sip::token::trim_start(credentials.get(b"Digest".len()..)?);
    kcc_sip::token::list(rest).find_map(|item| {
        let eq = item.iter().position(|c| *c == b'=')?;
        let (name, value) = item.split_at(eq);
        kcc_sip::token::trim(name)
            .eq_ignore_ascii_case(b"username")
            .then(|| kcc_sip::token::unquote(kcc_sip::token::trim(&value[1..])))
    })
}
