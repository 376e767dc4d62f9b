//! Route blocks: their names, kinds and order.

use std::collections::HashMap;

use kcc_runtime::declare::Routes;
use kcc_runtime::program::RouteInfo;

use super::Resolver;
use crate::diagnostic::Diagnostic;
use crate::ir;
use crate::source::Span;
use crate::syntax::ast::{self, ItemKind, RouteKind};

/// A block, with the parts of an unnamed one that stand apart.
struct Found<'a> {
    kind: Routes,
    name: String,
    main: bool,
    keyword: &'static str,
    span: Span,
    parts: Vec<&'a ast::Route>,
}

impl Resolver<'_> {
    /// All route blocks, numbered in the order in which they stand.
    pub(super) fn all_routes(&mut self, file: &ast::File) -> Vec<ir::Route> {
        let mut found: Vec<Found<'_>> = Vec::new();
        let mut index: HashMap<(u16, String, bool), usize> = HashMap::new();
        for item in &file.items {
            let ItemKind::Route(route) = &item.kind else {
                continue;
            };
            let (kind, main) = kind_of(route);
            let name = route
                .name
                .as_ref()
                .map_or("", |name| &*name.text)
                .to_owned();
            match index.get(&(kind.0, name.clone(), main)) {
                None => {
                    index.insert((kind.0, name.clone(), main), found.len());
                    found.push(Found {
                        kind,
                        name,
                        main,
                        keyword: written(route),
                        span: route
                            .name
                            .as_ref()
                            .map_or(route.kind_span, |name| name.span),
                        parts: vec![route],
                    });
                }
                Some(n) if route.name.is_none() => found[*n].parts.push(route),
                Some(n) => self.again(&mut found[*n], route),
            }
        }
        for (n, block) in found.iter().enumerate() {
            if !block.main {
                self.routes
                    .insert((block.kind.0, block.name.clone()), n as u32);
            }
            let place = self.file_and_line(block.span);
            let info = RouteInfo {
                kind: block.kind.0,
                name: block.name.clone(),
                main: block.main,
                place,
            };
            self.check_that_it_runs(&info, block.span);
            self.manifest.routes.push(info);
        }
        if found.is_empty() && !self.options.after_errors {
            self.no_route(file);
        }
        found.iter().map(|block| self.route(block)).collect()
    }

    /// Points to the end of a configuration without any block.
    fn no_route(&mut self, file: &ast::File) {
        let message = "the configuration has no route block: every request is discarded";
        let mut diagnostic = Diagnostic::warning("no-route", message);
        if let Some(last) = file.items.last() {
            diagnostic = diagnostic.label(last.span, "nothing but settings up to here");
        }
        self.report(diagnostic.help("add a block `request_route { … }`"));
    }

    /// A named block given twice: Kamailio lets a body of only `;` be replaced.
    fn again<'a>(&mut self, first: &mut Found<'a>, route: &'a ast::Route) {
        let empty = first.parts.iter().all(|part| {
            part.body
                .stmts
                .iter()
                .all(|stmt| matches!(stmt.kind, ast::StmtKind::Empty))
        });
        if empty {
            first.parts.push(route);
            return;
        }
        let span = route
            .name
            .as_ref()
            .map_or(route.kind_span, |name| name.span);
        let message = format!("`{}[{}]` is given twice", first.keyword, first.name);
        self.report(
            Diagnostic::error("duplicate-route", message)
                .label(span, "")
                .label(first.span, "it was given here"),
        );
        // Its statements are checked all the same.
        self.kind = first.kind;
        self.block(&route.body);
    }

    fn route(&mut self, block: &Found<'_>) -> ir::Route {
        self.kind = block.kind;
        let place = self.place(block.span);
        let mut body = ir::Block::default();
        for part in &block.parts {
            body.stmts.append(&mut self.block(&part.body).stmts);
        }
        let name = match (block.main, block.name.as_str()) {
            (true, _) | (false, "") => block.keyword.to_owned(),
            (false, name) => format!("{}[{name}]", block.keyword),
        };
        ir::Route {
            name,
            kind: block.kind,
            place,
            body,
        }
    }
}

/// The kind of a block, and whether the engine runs it by itself.
fn kind_of(route: &ast::Route) -> (Routes, bool) {
    let name = route.name.as_ref().map(|name| &*name.text);
    match (route.kind, name) {
        (RouteKind::Request, name) => (Routes::REQUEST, name.is_none()),
        (RouteKind::Reply, None) => (Routes::CORE_ONREPLY, true),
        (RouteKind::Reply, Some(_)) => (Routes::TM_ONREPLY, false),
        (RouteKind::Failure, _) => (Routes::FAILURE, false),
        (RouteKind::Branch, _) => (Routes::BRANCH, false),
        (RouteKind::Onsend, name) => (Routes::ONSEND, name.is_none()),
        (RouteKind::Event, Some("tm:local-request")) => (Routes::LOCAL, false),
        (RouteKind::Event, Some(name)) if name.starts_with("tm:branch-failure") => {
            (Routes::BRANCH_FAILURE, false)
        }
        (RouteKind::Event, _) => (Routes::EVENT, false),
    }
}

/// The keyword for the block, for people.
fn written(route: &ast::Route) -> &'static str {
    match (route.kind, &route.name) {
        (RouteKind::Request, None) => "request_route",
        (RouteKind::Reply, None) => "reply_route",
        (kind, _) => kind.keyword(),
    }
}

/// The keyword of a kind of block.
pub(super) fn keyword(kind: Routes) -> &'static str {
    const KEYWORDS: [(Routes, &str); 9] = [
        (Routes::REQUEST, "route"),
        (Routes::FAILURE, "failure_route"),
        (Routes::TM_ONREPLY, "onreply_route"),
        (Routes::CORE_ONREPLY, "reply_route"),
        (Routes::BRANCH, "branch_route"),
        (Routes::ONSEND, "onsend_route"),
        (Routes::LOCAL, "event_route"),
        (Routes::BRANCH_FAILURE, "event_route"),
        (Routes::EVENT, "event_route"),
    ];
    KEYWORDS
        .iter()
        .find(|(of, _)| kind.allows(*of))
        .map_or("route", |(_, keyword)| keyword)
}

/// The keywords of all kinds in a set.
pub(super) fn keywords(kinds: Routes) -> String {
    let mut words: Vec<&str> = Vec::new();
    for bit in 0..16 {
        let kind = Routes(1 << bit);
        let known = Routes::ANY.allows(kind) && kind != Routes::ERROR;
        if !known || !kinds.allows(kind) || words.contains(&keyword(kind)) {
            continue;
        }
        if kind == Routes::REQUEST {
            words.push("request_route");
        }
        words.push(keyword(kind));
    }
    words.join(", ")
}
