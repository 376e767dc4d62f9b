//! `#[params]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Fields, ItemStruct, LitStr, Result};

use crate::input;

/// What the struct of parameters brings with it. Takes the `#[param]` attributes off its fields.
pub fn expand(item: &mut ItemStruct) -> Result<TokenStream> {
    let name = item.ident.clone();
    let Fields::Named(fields) = &mut item.fields else {
        return Err(syn::Error::new_spanned(item, "parameters are named fields"));
    };
    let (mut defaults, mut decls) = (Vec::new(), Vec::new());
    for field in &mut fields.named {
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        let ty = field.ty.clone();
        let Some(attribute) = input::take(&mut field.attrs, "param") else {
            defaults.push(quote! { #ident: ::core::default::Default::default() });
            continue;
        };
        let mut param = ident.to_string();
        let mut default: Option<Expr> = None;
        if !matches!(attribute.meta, syn::Meta::Path(_)) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    param = meta.value()?.parse::<LitStr>()?.value();
                } else if meta.path.is_ident("default") {
                    default = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error("a parameter has `name` and `default`"));
                }
                Ok(())
            })?;
        }
        let doc = input::doc(&field.attrs);
        let shown = default.as_ref().map(shown).unwrap_or_default();
        defaults.push(match default {
            Some(value) => quote! { #ident: (#value).into() },
            None => quote! { #ident: ::core::default::Default::default() },
        });
        decls.push(quote! {
            ::kcc_runtime::declare::ParamDecl {
                name: #param,
                doc: #doc,
                ty: <#ty as ::kcc_runtime::declare::ParamValue>::TYPE,
                default: #shown,
                set: |params, value| match params.downcast_mut::<#name>() {
                    Some(params) => {
                        ::kcc_runtime::declare::ParamValue::assign(&mut params.#ident, value)
                    }
                    None => Err("parameters of another module".to_owned()),
                },
            }
        });
    }
    Ok(quote! {
        impl ::core::default::Default for #name {
            fn default() -> Self {
                #name { #(#defaults),* }
            }
        }

        static SLOT: ::kcc_runtime::program::Slot = ::kcc_runtime::program::Slot::new();

        impl ::kcc_runtime::program::Params for #name {
            fn slot() -> &'static ::kcc_runtime::program::Slot {
                &SLOT
            }
        }

        static PARAMS: ::kcc_runtime::declare::ParamsDecl = ::kcc_runtime::declare::ParamsDecl {
            list: &[#(#decls),*],
            new: || Box::new(#name::default()),
            slot: &SLOT,
        };
    })
}

/// A default as one writes it in a configuration.
fn shown(value: &Expr) -> String {
    match value {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Int(number),
            ..
        }) => number.base10_digits().to_owned(),
        Expr::Unary(syn::ExprUnary {
            op: syn::UnOp::Neg(_),
            expr,
            ..
        }) => format!("-{}", shown(expr)),
        _ => quote!(#value).to_string().replace(' ', ""),
    }
}
