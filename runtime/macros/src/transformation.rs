//! `#[transformation]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Ident, ItemFn, LitStr, Result, Token, parse::ParseStream};

use crate::{input, pv};

/// The declaration of one transformation and its shim.
pub fn expand(
    module: &str,
    attribute: &Attribute,
    function: &ItemFn,
) -> Result<(TokenStream, TokenStream)> {
    let (name, takes_null) = attribute.parse_args_with(|input: ParseStream| {
        let name: LitStr = input.parse()?;
        let mut null = false;
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.parse()?;
            if word != "null" {
                return Err(syn::Error::new_spanned(
                    word,
                    "only `null` may follow the name",
                ));
            }
            null = true;
        }
        Ok((name, null))
    })?;
    let text = name.value();
    let Some((class, operation)) = text.split_once('.') else {
        return Err(syn::Error::new_spanned(name, "write it as \"class.name\""));
    };
    let ident = &function.sig.ident;
    let arguments = input::arguments(function)?;
    if arguments.is_empty() {
        return Err(syn::Error::new_spanned(
            &function.sig,
            "the second parameter is the input",
        ));
    }
    let shims = pv::shim(ident, "reader", &arguments);
    let shim = format_ident!("shim_{ident}");
    let input = input::kind(&arguments[0]);
    let decls = arguments[1..].iter().map(input::argument_decl);
    let symbol = format!("{module}.{{{text}}}");
    let doc = input::doc(&function.attrs);
    let decl = quote! {
        ::kcc_runtime::declare::TransformationDecl {
            class: #class,
            name: #operation,
            symbol: #symbol,
            doc: #doc,
            input: #input,
            args: &[#(#decls),*],
            takes_null: #takes_null,
            shim: #shim,
        }
    };
    Ok((decl, shims))
}
