//! Lists of named values, which may hold lists themselves: the memory of `$avp`, `$xavp`, `$xavi` and
//! `$xavu`.
//!
//! All lists of one kind lie in one arena: nodes in one vector, texts in another. An arena that holds
//! nothing owns no memory. Places of removed nodes are used again, and removed text is squeezed out
//! when it outweighs the rest.
//!
//! **Invariant:** a list takes at most [`LIMIT`] bytes; [`Id`]s are good until their node is removed.

use crate::value::Value;

/// What the lists of one kind of one message may take, in bytes.
pub(super) const LIMIT: usize = 16 << 20;
/// Removed text below this size, in bytes, is left where it is.
const SLACK: usize = 4096;
/// Memory beyond this size, in bytes, is given back when the lists are cleared.
const KEPT: usize = 64 * 1024;

/// The lists of the message take as much memory as they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message has too many values: this one is not stored")]
pub struct TooMany;

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u32);

impl Id {
    /// A number that is not 0, for what shows it.
    pub(crate) fn shown(self) -> u64 {
        u64::from(self.0) + 1
    }
}

/// The name of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// Text.
    Text(&'a [u8]),
    /// A number, which is another name than its digits (`$avp(i:5)`).
    Number(i64),
}

/// What a node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An integer.
    Int(i64),
    /// Text.
    Text(&'a [u8]),
    /// A list, with its first value.
    List(Option<Id>),
}

impl<'a> Item<'a> {
    /// The value, unless it is a list.
    pub fn value(self) -> Option<Value<'a>> {
        match self {
            Item::Int(n) => Some(Value::Int(n)),
            Item::Text(text) => Some(Value::Str(text)),
            Item::List(_) => None,
        }
    }
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// One of the outermost lists.
    Root(usize),
    /// That which a node holds.
    Node(Id),
}

/// Where a new node goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Before all others.
    Front,
    /// After all others; takes time that grows with the list.
    Back,
    /// After this one.
    After(Id),
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
enum Name {
    Free,
    Number(i64),
    Text(Span),
}

#[derive(Clone, Copy, Debug)]
enum Content {
    Int(i64),
    Text(Span),
    List(u32),
}

#[derive(Clone, Copy, Debug)]
struct Node {
    name: Name,
    content: Content,
    /// Of the name, whatever its case.
    hash: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

fn id(link: u32) -> Option<Id> {
    (link != NONE).then_some(Id(link))
}

/// The arena, with `ROOTS` outermost lists.
#[derive(Clone, Debug)]
pub(super) struct Lists<const ROOTS: usize> {
    roots: [u32; ROOTS],
    nodes: Vec<Node>,
    text: Vec<u8>,
    /// The first free node; the next ones follow by `next`.
    free: u32,
    /// How many nodes are in use.
    used: usize,
    /// How many bytes of `text` are in use.
    live: usize,
    /// Names match in any case.
    ignore_case: [bool; ROOTS],
}

impl<const ROOTS: usize> Lists<ROOTS> {
    /// No values; `ignore_case` tells of which outermost lists, and all below them, names match in
    /// any case.
    pub(super) fn new(ignore_case: [bool; ROOTS]) -> Self {
        Lists {
            roots: [NONE; ROOTS],
            nodes: Vec::new(),
            text: Vec::new(),
            free: NONE,
            used: 0,
            live: 0,
            ignore_case,
        }
    }

    /// Removes everything.
    pub(super) fn clear(&mut self) {
        if self.nodes.is_empty() {
            return;
        }
        self.roots = [NONE; ROOTS];
        self.nodes.clear();
        self.text.clear();
        self.nodes.shrink_to(KEPT / size_of::<Node>());
        self.text.shrink_to(KEPT);
        (self.free, self.used, self.live) = (NONE, 0, 0);
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    fn first(&self, owner: Owner) -> u32 {
        match owner {
            Owner::Root(n) => self.roots.get(n).copied().unwrap_or(NONE),
            Owner::Node(of) => match self.nodes.get(of.0 as usize) {
                Some(Node {
                    content: Content::List(first),
                    ..
                }) => *first,
                _ => NONE,
            },
        }
    }

    fn set_first(&mut self, owner: Owner, first: u32) {
        match owner {
            Owner::Root(n) => {
                if let Some(root) = self.roots.get_mut(n) {
                    *root = first;
                }
            }
            Owner::Node(of) => {
                if let Some(node) = self.nodes.get_mut(of.0 as usize) {
                    node.content = Content::List(first);
                }
            }
        }
    }

    fn next(&self, node: u32) -> u32 {
        self.nodes.get(node as usize).map_or(NONE, |node| node.next)
    }

    /// The nodes of a list in order.
    pub(super) fn all(&self, owner: Owner) -> impl Iterator<Item = Id> + Clone {
        let mut link = self.first(owner);
        std::iter::from_fn(move || {
            let found = id(link)?;
            link = self.next(link);
            Some(found)
        })
    }

    /// The nodes of a list that are called `name`, in order.
    pub(super) fn named<'a>(
        &'a self,
        owner: Owner,
        name: Key<'a>,
        ignore_case: bool,
    ) -> impl Iterator<Item = Id> + Clone + 'a {
        let hash = hash(name);
        self.all(owner).filter(move |id| {
            let Some(node) = self.nodes.get(id.0 as usize) else {
                return false;
            };
            node.hash == hash
                && match (node.name, name) {
                    (Name::Number(own), Key::Number(n)) => own == n,
                    (Name::Text(own), Key::Text(name)) => {
                        let own = self.slice(own);
                        own == name || ignore_case && own.eq_ignore_ascii_case(name)
                    }
                    _ => false,
                }
        })
    }

    /// Whether names in an outermost list match in any case.
    pub(super) fn ignores_case(&self, root: usize) -> bool {
        self.ignore_case.get(root).copied().unwrap_or(false)
    }

    fn slice(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        let end = start + span.len as usize;
        self.text.get(start..end).unwrap_or_default()
    }

    /// The name of a node.
    pub(super) fn name(&self, of: Id) -> Key<'_> {
        match self.nodes.get(of.0 as usize).map(|node| node.name) {
            Some(Name::Text(span)) => Key::Text(self.slice(span)),
            Some(Name::Number(n)) => Key::Number(n),
            Some(Name::Free) | None => Key::Text(b""),
        }
    }

    /// What a node holds.
    pub(super) fn item(&self, of: Id) -> Item<'_> {
        match self.nodes.get(of.0 as usize).map(|node| node.content) {
            Some(Content::Int(n)) => Item::Int(n),
            Some(Content::Text(span)) => Item::Text(self.slice(span)),
            Some(Content::List(first)) => Item::List(id(first)),
            None => Item::List(None),
        }
    }

    /// Whether `more` bytes of text and `nodes` nodes can be added.
    fn room(&self, nodes: usize, more: usize) -> Result<(), TooMany> {
        let nodes = (self.used + nodes) * size_of::<Node>();
        let total = self.live.saturating_add(more).saturating_add(nodes);
        if total > LIMIT { Err(TooMany) } else { Ok(()) }
    }

    /// Adds a node; `item` may be an empty list only ([`Lists::copy`] copies others).
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn add(
        &mut self,
        owner: Owner,
        end: End,
        name: Key<'_>,
        item: Item<'_>,
    ) -> Result<Id, TooMany> {
        let text = match name {
            Key::Text(name) => name.len(),
            Key::Number(_) => 0,
        };
        let value = match item {
            Item::Text(text) => text.len(),
            Item::Int(_) | Item::List(_) => 0,
        };
        self.room(1, text + value)?;
        let node = Node {
            hash: hash(name),
            name: match name {
                Key::Text(name) => Name::Text(self.store(name)),
                Key::Number(n) => Name::Number(n),
            },
            content: self.content(item),
            next: NONE,
        };
        let place = match id(self.free) {
            Some(free) => {
                self.free = self.next(free.0);
                self.nodes[free.0 as usize] = node;
                free
            }
            None => {
                self.nodes.push(node);
                Id((self.nodes.len() - 1) as u32)
            }
        };
        self.used += 1;
        self.link(owner, end, place);
        Ok(place)
    }

    fn link(&mut self, owner: Owner, end: End, place: Id) {
        let before = match end {
            End::Front => None,
            End::Back => self.all(owner).last(),
            End::After(before) => Some(before),
        };
        let after = match before.and_then(|before| self.nodes.get_mut(before.0 as usize)) {
            Some(before) => std::mem::replace(&mut before.next, place.0),
            None => {
                let first = self.first(owner);
                self.set_first(owner, place.0);
                first
            }
        };
        if let Some(node) = self.nodes.get_mut(place.0 as usize) {
            node.next = after;
        }
    }

    fn content(&mut self, item: Item<'_>) -> Content {
        match item {
            Item::Int(n) => Content::Int(n),
            Item::Text(text) => Content::Text(self.store(text)),
            Item::List(_) => Content::List(NONE),
        }
    }

    /// Puts text at the end of the texts.
    fn store(&mut self, text: &[u8]) -> Span {
        let dead = self.text.len() - self.live;
        if dead > SLACK && dead > self.live {
            self.squeeze();
        }
        let start = self.text.len() as u32;
        self.text.extend_from_slice(text);
        self.live += text.len();
        Span {
            start,
            len: text.len() as u32,
        }
    }

    /// Leaves out the text that no node has.
    fn squeeze(&mut self) {
        let old = std::mem::take(&mut self.text);
        self.text.reserve(self.live + SLACK);
        let text = &mut self.text;
        let mut keep = |span: &mut Span| {
            let start = span.start as usize;
            let bytes = old.get(start..start + span.len as usize);
            span.start = text.len() as u32;
            text.extend_from_slice(bytes.unwrap_or_default());
        };
        for node in &mut self.nodes {
            match &mut node.name {
                Name::Free => continue,
                Name::Text(span) => keep(span),
                Name::Number(_) => {}
            }
            if let Content::Text(span) = &mut node.content {
                keep(span);
            }
        }
    }

    /// Changes what a node holds; what it held is removed.
    ///
    /// # Errors
    /// There is no room for it; the node is unchanged.
    pub(super) fn set(&mut self, of: Id, item: Item<'_>) -> Result<(), TooMany> {
        if let Item::Text(text) = item {
            self.room(0, text.len())?;
        }
        self.release_content(of);
        let content = self.content(item);
        if let Some(node) = self.nodes.get_mut(of.0 as usize) {
            node.content = content;
        }
        Ok(())
    }

    /// Removes a node of a list, with all below it.
    pub(super) fn remove(&mut self, owner: Owner, node: Id) {
        self.unlink(owner, node);
        self.release(node);
    }

    fn unlink(&mut self, owner: Owner, node: Id) {
        let after = self.next(node.0);
        if self.first(owner) == node.0 {
            self.set_first(owner, after);
            return;
        }
        let before = self.all(owner).find(|other| self.next(other.0) == node.0);
        if let Some(before) = before.and_then(|before| self.nodes.get_mut(before.0 as usize)) {
            before.next = after;
        }
    }

    fn release_content(&mut self, of: Id) {
        let Some(node) = self.nodes.get_mut(of.0 as usize) else {
            return;
        };
        match std::mem::replace(&mut node.content, Content::Int(0)) {
            Content::Int(_) => {}
            Content::Text(span) => self.live -= span.len as usize,
            Content::List(first) => {
                let mut link = first;
                while let Some(child) = id(link) {
                    link = self.next(link);
                    self.release(child);
                }
            }
        }
    }

    fn release(&mut self, of: Id) {
        self.release_content(of);
        let Some(node) = self.nodes.get_mut(of.0 as usize) else {
            return;
        };
        if let Name::Text(span) = node.name {
            self.live -= span.len as usize;
        }
        node.name = Name::Free;
        node.next = self.free;
        self.free = of.0;
        self.used -= 1;
    }

    /// Copies a node, with all below it, to the end of a list under the name `name`.
    ///
    /// # Errors
    /// There is no room for it; a part may have been copied, which is removed again.
    pub(super) fn copy(&mut self, owner: Owner, from: Id, name: Key<'_>) -> Result<Id, TooMany> {
        let mut value = Vec::new();
        let item = match self.item(from) {
            Item::Int(n) => Item::Int(n),
            Item::List(_) => Item::List(None),
            Item::Text(text) => {
                value.extend_from_slice(text);
                Item::Text(&value)
            }
        };
        let copy = self.add(owner, End::Back, name, item)?;
        if let Item::List(None) = item {
            let children: Vec<Id> = self.all(Owner::Node(from)).collect();
            let mut own = Vec::new();
            for child in children {
                let name = match self.name(child) {
                    Key::Number(n) => Key::Number(n),
                    Key::Text(text) => {
                        own.clear();
                        own.extend_from_slice(text);
                        Key::Text(&own)
                    }
                };
                if let Err(error) = self.copy(Owner::Node(copy), child, name) {
                    self.remove(owner, copy);
                    return Err(error);
                }
            }
        }
        Ok(copy)
    }

    /// Puts a node, whose place in its list stays free, into the place of another of the list, which
    /// is removed.
    pub(super) fn take_place(&mut self, owner: Owner, node: Id, of: Id) {
        if node == of {
            return;
        }
        self.unlink(owner, node);
        let after = self.next(of.0);
        let before = self.all(owner).find(|other| self.next(other.0) == of.0);
        if let Some(node) = self.nodes.get_mut(node.0 as usize) {
            node.next = after;
        }
        match before.and_then(|before| self.nodes.get_mut(before.0 as usize)) {
            Some(before) => before.next = node.0,
            None => self.set_first(owner, node.0),
        }
        self.release(of);
    }

    /// Moves a node to the end of its list.
    pub(super) fn move_to_end(&mut self, owner: Owner, node: Id) {
        self.unlink(owner, node);
        if let Some(node) = self.nodes.get_mut(node.0 as usize) {
            node.next = NONE;
        }
        self.link(owner, End::Back, node);
    }
}

/// FNV-1a over the name in lower case.
fn hash(name: Key<'_>) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    match name {
        Key::Text(text) => text.iter().fold(0x811c_9dc5, |hash, byte| {
            step(hash, byte.to_ascii_lowercase())
        }),
        Key::Number(n) => n.to_le_bytes().into_iter().fold(7, step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lists: &Lists<1>, owner: Owner) -> String {
        let one = |id: Id| {
            let name = match lists.name(id) {
                Key::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Key::Number(n) => format!("i:{n}"),
            };
            match lists.item(id) {
                Item::Int(n) => format!("{name}={n}"),
                Item::Text(text) => format!("{name}='{}'", String::from_utf8_lossy(text)),
                Item::List(_) => format!("{name}=[{}]", shown(lists, Owner::Node(id))),
            }
        };
        lists.all(owner).map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nodes_are_added_changed_moved_copied_and_removed() {
        let root = Owner::Root(0);
        let mut lists = Lists::new([false]);
        let a = lists.add(root, End::Back, Key::Text(b"a"), Item::Int(1));
        let b = lists
            .add(root, End::Front, Key::Text(b"b"), Item::List(None))
            .unwrap();
        lists
            .add(Owner::Node(b), End::Back, Key::Number(5), Item::Text(b"x"))
            .unwrap();
        assert_eq!(shown(&lists, root), "b=[i:5='x'] a=1");
        let copy = lists.copy(root, b, Key::Text(b"c")).unwrap();
        assert_eq!(shown(&lists, root), "b=[i:5='x'] a=1 c=[i:5='x']");
        lists.take_place(root, copy, a.unwrap());
        assert_eq!(shown(&lists, root), "b=[i:5='x'] c=[i:5='x']");
        lists.move_to_end(root, b);
        assert_eq!(shown(&lists, root), "c=[i:5='x'] b=[i:5='x']");
        lists.set(copy, Item::Text(b"text")).unwrap();
        lists.remove(root, b);
        assert_eq!(shown(&lists, root), "c='text'");
        assert_eq!((lists.used, lists.live), (1, 5));
        lists.remove(root, copy);
        assert_eq!((lists.used, lists.live), (0, 0));
        assert_eq!(shown(&lists, root), "");
    }

    #[test]
    fn values_that_are_written_again_and_again_take_no_more_memory() {
        let mut lists = Lists::new([false]);
        let one = lists
            .add(Owner::Root(0), End::Front, Key::Text(b"x"), Item::Int(1))
            .unwrap();
        let text = [b'a'; 1000];
        for _ in 0..10_000 {
            lists.set(one, Item::Text(&text)).unwrap();
            let other = lists.add(Owner::Root(0), End::Front, Key::Text(b"y"), Item::Int(1));
            lists.remove(Owner::Root(0), other.unwrap());
        }
        assert!(lists.text.capacity() < 64 * 1024);
        assert!(lists.nodes.len() <= 2);
        assert_eq!(lists.item(one), Item::Text(&text));
    }

    #[test]
    fn a_message_has_a_bounded_amount_of_values() {
        let mut lists = Lists::new([false]);
        let text = vec![b'x'; LIMIT / 4];
        let mut add = || {
            lists.add(
                Owner::Root(0),
                End::Front,
                Key::Text(b"x"),
                Item::Text(&text),
            )
        };
        for _ in 0..3 {
            add().unwrap();
        }
        let last = add();
        assert_eq!(last, Err(TooMany));
        lists.clear();
        assert!(lists.text.capacity() <= KEPT);
    }

    #[test]
    fn names_match_in_any_case_where_asked() {
        let mut lists = Lists::new([true]);
        lists
            .add(Owner::Root(0), End::Front, Key::Text(b"Foo"), Item::Int(1))
            .unwrap();
        let count = |case| lists.named(Owner::Root(0), Key::Text(b"fOO"), case).count();
        assert_eq!((count(true), count(false)), (1, 0));
        assert!(lists.ignores_case(0));
    }
}
