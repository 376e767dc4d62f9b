//! `#[module]` and `#[part]`: walks the items and gathers their declarations.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Item, ItemFn, ItemMod, ItemStatic, ItemStruct, LitStr, Path, Result, Token};

use crate::{function, input, params, pv, transformation};

#[derive(Default)]
struct Declared {
    functions: Vec<TokenStream>,
    pvs: Vec<pv::Pv>,
    transformations: Vec<TokenStream>,
    events: Vec<TokenStream>,
    params: Option<TokenStream>,
    init: Option<syn::Ident>,
    shims: Vec<TokenStream>,
    /// Readers of hidden integers and writers, until every variable is known.
    later: Vec<(String, bool, syn::Ident)>,
}

/// Expands the inline module; a whole module of the language, or a part of one.
pub fn expand(attribute: TokenStream, item: TokenStream, whole: bool) -> TokenStream {
    try_expand(attribute, item, whole).unwrap_or_else(|error| error.into_compile_error())
}

fn try_expand(attribute: TokenStream, item: TokenStream, whole: bool) -> Result<TokenStream> {
    let mut name = None;
    let mut parts: Vec<Path> = Vec::new();
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") || meta.path.is_ident("module") {
            name = Some(meta.value()?.parse::<LitStr>()?.value());
        } else if meta.path.is_ident("parts") {
            let list;
            syn::parenthesized!(list in meta.input);
            parts.extend(Punctuated::<Path, Token![,]>::parse_terminated(&list)?);
        } else {
            return Err(meta.error("a module has `name` and `parts`, a part has `module`"));
        }
        Ok(())
    });
    parser.parse2(attribute)?;
    let mut item: ItemMod = syn::parse2(item)?;
    let name = name.ok_or_else(|| syn::Error::new_spanned(&item.ident, "it needs a name"))?;
    let doc = input::doc(&item.attrs);
    let Some((_, items)) = &mut item.content else {
        return Err(syn::Error::new_spanned(&item, "write the module inline"));
    };
    let mut declared = Declared::default();
    for item in items.iter_mut() {
        match item {
            Item::Fn(function) => declared.take_function(&name, function)?,
            Item::Struct(item) => declared.take_struct(item)?,
            Item::Static(item) => declared.take_static(item)?,
            _ => {}
        }
    }
    declared.join_later(item.ident.span())?;
    let Declared {
        functions,
        pvs,
        transformations,
        events,
        params,
        init,
        shims,
        ..
    } = declared;
    let pvs = pvs.iter().map(|pv| pv.decl(&name));
    let part = quote! {
        /// What this part declares.
        pub static PART: ::kcc_runtime::declare::Part = ::kcc_runtime::declare::Part {
            functions: &[#(#functions),*],
            pvs: &[#(#pvs),*],
            transformations: &[#(#transformations),*],
            events: &[#(#events),*],
        };
    };
    let module = whole.then(|| {
        let params_ref = match &params {
            Some(_) => quote! { Some(&PARAMS) },
            None => quote! { None },
        };
        let init = match &init {
            Some(init) => quote! { Some(#init) },
            None => quote! { None },
        };
        quote! {
            /// The module as the language knows it.
            pub static MODULE: ::kcc_runtime::declare::Module = ::kcc_runtime::declare::Module {
                name: #name,
                doc: #doc,
                parts: &[&PART #(, &#parts)*],
                params: #params_ref,
                init: #init,
            };
        }
    });
    let generated = quote! { #(#shims)* #params #part #module };
    let Some((_, items)) = &mut item.content else {
        unreachable!("checked above")
    };
    items.push(Item::Verbatim(generated));
    Ok(quote! { #item })
}

impl Declared {
    fn take_struct(&mut self, item: &mut ItemStruct) -> Result<()> {
        if input::take(&mut item.attrs, "params").is_some() {
            self.params = Some(params::expand(item)?);
        }
        Ok(())
    }

    fn take_static(&mut self, item: &mut ItemStatic) -> Result<()> {
        let Some(attribute) = input::take(&mut item.attrs, "event") else {
            return Ok(());
        };
        let name = input::only_string(&attribute)?;
        let (event, doc) = (&item.ident, input::doc(&item.attrs));
        self.events.push(quote! {
            ::kcc_runtime::declare::EventDecl { name: #name, doc: #doc, event: &#event }
        });
        Ok(())
    }

    fn take_function(&mut self, module: &str, function: &mut ItemFn) -> Result<()> {
        if let Some(attribute) = input::take(&mut function.attrs, "function") {
            let (decl, shims) = function::expand(module, &attribute, function)?;
            self.functions.push(decl);
            self.shims.push(shims);
        } else if let Some(attribute) = input::take(&mut function.attrs, "pv") {
            let (pv, shim) = pv::reader(&attribute, function)?;
            self.pvs.push(pv);
            self.shims.push(shim);
        } else if let Some(attribute) = input::take(&mut function.attrs, "pv_int") {
            self.take_later(&attribute, function, false)?;
        } else if let Some(attribute) = input::take(&mut function.attrs, "pv_write") {
            self.take_later(&attribute, function, true)?;
        } else if let Some(attribute) = input::take(&mut function.attrs, "transformation") {
            let (decl, shims) = transformation::expand(module, &attribute, function)?;
            self.transformations.push(decl);
            self.shims.push(shims);
        } else if input::take(&mut function.attrs, "init").is_some() {
            self.init = Some(function.sig.ident.clone());
        }
        Ok(())
    }

    fn take_later(
        &mut self,
        attribute: &syn::Attribute,
        function: &ItemFn,
        write: bool,
    ) -> Result<()> {
        let arguments = input::arguments(function)?;
        let body = if write { "writer" } else { "reader" };
        self.shims
            .push(pv::shim(&function.sig.ident, body, &arguments));
        self.later.push((
            input::only_string(attribute)?,
            write,
            function.sig.ident.clone(),
        ));
        Ok(())
    }

    fn join_later(&mut self, span: proc_macro2::Span) -> Result<()> {
        for (name, write, ident) in std::mem::take(&mut self.later) {
            let Some(pv) = self.pvs.iter_mut().find(|pv| pv.name == name) else {
                return Err(syn::Error::new(span, format!("no #[pv] is called {name}")));
            };
            let place = if write {
                &mut pv.write
            } else {
                &mut pv.read_int
            };
            *place = Some(ident);
        }
        Ok(())
    }
}
