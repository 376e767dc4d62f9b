//! `#[pv]`, `#[pv_int]`, `#[pv_write]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, ItemFn, LitStr, Result, Token, Type, punctuated::Punctuated};

use crate::input::{self, Argument};

/// A variable while its parts are collected.
pub struct Pv {
    pub name: String,
    ident: syn::Ident,
    aliases: Vec<String>,
    doc: String,
    inner: Option<Argument>,
    index: bool,
    pub read_int: Option<syn::Ident>,
    pub write: Option<syn::Ident>,
}

/// The variable whose reader is `function`, and its shim.
pub fn reader(attribute: &Attribute, function: &ItemFn) -> Result<(Pv, TokenStream)> {
    let ident = &function.sig.ident;
    let mut name = ident.to_string();
    let mut aliases = Vec::new();
    if !matches!(attribute.meta, syn::Meta::Path(_)) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("aliases") {
                let list;
                syn::parenthesized!(list in meta.input);
                let list = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
                aliases.extend(list.iter().map(LitStr::value));
            } else {
                return Err(meta.error("a variable has `name` and `aliases`"));
            }
            Ok(())
        })?;
    }
    let arguments = input::arguments(function)?;
    let shim = shim(ident, "reader", &arguments);
    let index = arguments.iter().any(|argument| is_index(&argument.ty));
    // Holes stand in the inner name, whose kind tells of them.
    let inner = arguments
        .into_iter()
        .find(|argument| !is_index(&argument.ty) && !is_a(&argument.ty, "Hole"));
    let pv = Pv {
        name,
        ident: ident.clone(),
        aliases,
        doc: input::doc(&function.attrs),
        inner,
        index,
        read_int: None,
        write: None,
    };
    Ok((pv, shim))
}

/// The shim of a reader of the hidden integer, or of a writer.
pub fn shim(ident: &syn::Ident, body: &str, arguments: &[Argument]) -> TokenStream {
    let name = format_ident!("shim_{ident}");
    let taken = input::taken(arguments);
    let indices: Vec<usize> = (0..arguments.len())
        .filter(|n| is_a(&arguments[*n].ty, "Index") || is_a(&arguments[*n].ty, "Hole"))
        .collect();
    if !indices.is_empty() {
        let body = format_ident!("indexed_{body}");
        return quote! {
            extern "C" fn #name(
                run: *mut ::kcc_runtime::run::Run,
                args: *const ::kcc_runtime::value::Val,
            ) -> ::kcc_runtime::abi::Words {
                ::kcc_runtime::shim::#body(
                    run,
                    args,
                    // SAFETY: the declaration beside this shim has as many arguments.
                    |args| unsafe { #(!args.is_wrong_index(#indices))&&* },
                    |run, args| { let _ = &args; #ident(run, #taken) },
                )
            }
        };
    }
    let body = format_ident!("{body}");
    quote! {
        extern "C" fn #name(
            run: *mut ::kcc_runtime::run::Run,
            args: *const ::kcc_runtime::value::Val,
        ) -> ::kcc_runtime::abi::Words {
            ::kcc_runtime::shim::#body(run, args, |run, args| { let _ = &args; #ident(run, #taken) })
        }
    }
}

fn is_index(ty: &Type) -> bool {
    is_a(ty, "Index")
}

fn is_a(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == name))
}

impl Pv {
    /// Its declaration.
    pub fn decl(&self, module: &str) -> TokenStream {
        let Pv {
            name,
            ident,
            aliases,
            doc,
            index,
            ..
        } = self;
        let symbol = format!("{module}.${name}");
        let shim = format_ident!("shim_{ident}");
        let inner = match &self.inner {
            Some(argument) => {
                let decl = input::argument_decl(argument);
                quote! { Some(#decl) }
            }
            None => quote! { None },
        };
        let other = |ident: &Option<syn::Ident>, what: &str| match ident {
            Some(ident) => {
                let symbol = format!("{symbol}/{what}");
                let shim = format_ident!("shim_{ident}");
                quote! { Some((#symbol, #shim)) }
            }
            None => quote! { None },
        };
        let read_int = other(&self.read_int, "int");
        let write = other(&self.write, "write");
        quote! {
            ::kcc_runtime::declare::PvDecl {
                name: #name,
                aliases: &[#(#aliases),*],
                symbol: #symbol,
                doc: #doc,
                inner: #inner,
                index: #index,
                read: #shim,
                read_int: #read_int,
                write: #write,
            }
        }
    }
}
