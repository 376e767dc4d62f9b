//! `#[function]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, ItemFn, LitStr, Path, Result, Token};

use crate::input;

/// The declaration of one function and the shims it needs.
pub fn expand(
    module: &str,
    attribute: &Attribute,
    function: &ItemFn,
) -> Result<(TokenStream, TokenStream)> {
    let ident = &function.sig.ident;
    let mut name = ident.to_string();
    let mut routes = None;
    let mut guard: Option<Path> = None;
    let mut waits = false;
    let mut aliases: Vec<String> = Vec::new();
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("name") {
            name = meta.value()?.parse::<LitStr>()?.value();
        } else if meta.path.is_ident("routes") {
            routes = Some(meta.value()?.parse::<LitStr>()?);
        } else if meta.path.is_ident("guard") {
            guard = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("waits") {
            waits = true;
        } else if meta.path.is_ident("aliases") {
            let list;
            syn::parenthesized!(list in meta.input);
            let list = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
            aliases.extend(list.iter().map(LitStr::value));
        } else {
            return Err(
                meta.error("a function has `name`, `aliases`, `routes`, `waits` and `guard`")
            );
        }
        Ok(())
    })?;
    let routes = routes.ok_or_else(|| {
        syn::Error::new_spanned(
            attribute,
            "say in which routes it may be called: routes = \"…\"",
        )
    })?;
    let arguments = input::arguments(function)?;
    let decls = arguments.iter().map(input::argument_decl);
    let taken = input::taken(&arguments);
    let symbol = format!("{module}.{name}/{}", arguments.len());
    let doc = input::doc(&function.attrs);
    let shim = format_ident!("shim_{ident}");
    let is_async = function.sig.asyncness.is_some();
    let suspends = is_async || waits;
    let (entry, body) = if is_async {
        let body = quote! { |run, args| {
            let _ = &args;
            run.link().wait(#ident(run, #taken))
        } };
        (quote! { waiting }, body)
    } else {
        (
            quote! { function },
            quote! { |run, args| { let _ = &args; #ident(run, #taken) } },
        )
    };
    let mut shims = quote! {
        extern "C" fn #shim(
            run: *mut ::kcc_runtime::run::Run,
            args: *const ::kcc_runtime::value::Val,
        ) -> ::kcc_runtime::abi::Words {
            ::kcc_runtime::shim::#entry(run, args, #body)
        }
    };
    let guard = match guard {
        None => quote! { None },
        Some(path) => {
            let guard_shim = format_ident!("guard_{ident}");
            let guard_symbol = format!("{symbol}/guard");
            let first = if arguments.len() > 1 {
                let ty = &arguments[0].ty;
                quote! {
                    // SAFETY: the declaration beside this shim is made of the same types.
                    Some(unsafe { args.get::<#ty>(0) })
                }
            } else {
                quote! { None }
            };
            shims.extend(quote! {
                extern "C" fn #guard_shim(
                    run: *mut ::kcc_runtime::run::Run,
                    args: *const ::kcc_runtime::value::Val,
                ) -> ::kcc_runtime::abi::Words {
                    ::kcc_runtime::shim::guard(run, args, |run, args| { let _ = &args; #path(run, #first) })
                }
            });
            quote! {
                Some(::kcc_runtime::declare::GuardDecl { symbol: #guard_symbol, shim: #guard_shim })
            }
        }
    };
    let decl = quote! {
        ::kcc_runtime::declare::FunctionDecl {
            name: #name,
            aliases: &[#(#aliases),*],
            symbol: #symbol,
            doc: #doc,
            args: &[#(#decls),*],
            routes: ::kcc_runtime::declare::Routes::parse(#routes),
            suspends: #suspends,
            shim: #shim,
            guard: #guard,
        }
    };
    Ok((decl, shims))
}
