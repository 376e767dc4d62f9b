//! What the declarations share: documentation, argument lists, attributes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, FnArg, ItemFn, Lit, LitStr, Meta, Pat, Result, Type};

/// An argument of a builtin after the run.
pub struct Argument {
    pub name: String,
    pub ty: Type,
}

/// Takes the attribute called `name` off the list.
pub fn take(attributes: &mut Vec<Attribute>, name: &str) -> Option<Attribute> {
    let place = attributes
        .iter()
        .position(|attribute| attribute.path().is_ident(name))?;
    Some(attributes.remove(place))
}

/// The doc comment as one text.
pub fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    let lines: Vec<String> = lines
        .map(|line| line.strip_prefix(' ').map(str::to_owned).unwrap_or(line))
        .collect();
    lines.join("\n")
}

/// The parameters after the run.
pub fn arguments(function: &ItemFn) -> Result<Vec<Argument>> {
    let mut inputs = function.sig.inputs.iter();
    if inputs.next().is_none() {
        return Err(syn::Error::new_spanned(
            &function.sig,
            "the first parameter is the run",
        ));
    }
    let argument = |input: &FnArg| match input {
        FnArg::Typed(typed) => {
            let name = match &*typed.pat {
                Pat::Ident(ident) => ident.ident.to_string(),
                _ => "value".to_owned(),
            };
            Ok(Argument {
                name: name.trim_start_matches('_').to_owned(),
                ty: (*typed.ty).clone(),
            })
        }
        FnArg::Receiver(receiver) => Err(syn::Error::new_spanned(
            receiver,
            "a builtin has no receiver",
        )),
    };
    inputs.map(argument).collect()
}

/// The `ArgDecl` of one argument.
pub fn argument_decl(argument: &Argument) -> TokenStream {
    let Argument { name, ty } = argument;
    let kind = kind(argument);
    quote! {
        ::kcc_runtime::declare::ArgDecl {
            name: #name,
            kind: #kind,
            optional: <#ty as ::kcc_runtime::declare::Arg>::OPTIONAL,
        }
    }
}

/// The kind of one argument.
pub fn kind(argument: &Argument) -> TokenStream {
    let ty = &argument.ty;
    quote! { <#ty as ::kcc_runtime::declare::Arg>::KIND }
}

/// Expressions that take each argument out of what compiled code passed.
pub fn taken(arguments: &[Argument]) -> TokenStream {
    let each = arguments.iter().enumerate().map(|(n, argument)| {
        let ty = &argument.ty;
        quote! {
            // SAFETY: the declaration beside this shim is made of the same types.
            unsafe { args.get::<#ty>(#n) }
        }
    });
    quote! { #(#each),* }
}

/// The only string in an attribute such as `#[pv_int("rm")]`.
pub fn only_string(attribute: &Attribute) -> Result<String> {
    attribute.parse_args::<LitStr>().map(|text| text.value())
}
