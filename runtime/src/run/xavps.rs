//! `$xavp`, `$xavi` and `$xavu`: values with names that may hold lists of named values themselves.
//! They belong to a message, and with it to its transaction (language reference, semantics §10).
//!
//! The outermost values are roots, what a root holds are its fields. `$xavp` and `$xavi` are stacks: a
//! name may have several values, the newest first. `$xavu` has one value a name. Names of `$xavi` match
//! in any case.

use super::lists::{End, Id, Item, Key, Lists, Owner, TooMany};
use crate::value::Value;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// `$xavp`.
    Xavp,
    /// `$xavi`.
    Xavi,
    /// `$xavu`.
    Xavu,
}

impl Space {
    const fn root(self) -> Owner {
        Owner::Root(self as usize)
    }
}

/// The roots of one message.
#[derive(Clone, Debug)]
pub struct Xavps(Lists<3>);

impl Default for Xavps {
    fn default() -> Xavps {
        Xavps(Lists::new([false, true, false]))
    }
}

fn key(name: &[u8]) -> Key<'_> {
    Key::Text(name)
}

/// A value as a node holds it; null is an empty list, which nothing assigns.
fn item(value: Value<'_>) -> Item<'_> {
    match value {
        Value::Int(n) => Item::Int(n),
        Value::Str(text) => Item::Text(text),
        Value::Null => Item::List(None),
    }
}

impl Xavps {
    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The roots called `name`, newest first.
    pub fn roots<'a>(
        &'a self,
        space: Space,
        name: &'a [u8],
    ) -> impl Iterator<Item = Id> + Clone + 'a {
        let ignore_case = self.0.ignores_case(space as usize);
        self.0.named(space.root(), key(name), ignore_case)
    }

    /// All roots, newest first.
    pub fn all_roots(&self, space: Space) -> impl Iterator<Item = Id> + Clone {
        self.0.all(space.root())
    }

    /// The fields of `root` called `name`, newest first; none where it holds no fields.
    pub fn fields<'a>(
        &'a self,
        space: Space,
        root: Id,
        name: &'a [u8],
    ) -> impl Iterator<Item = Id> + Clone + 'a {
        let ignore_case = self.0.ignores_case(space as usize);
        self.0.named(Owner::Node(root), key(name), ignore_case)
    }

    /// All fields of `root`, newest first.
    pub fn all_fields(&self, root: Id) -> impl Iterator<Item = Id> + Clone {
        self.0.all(Owner::Node(root))
    }

    /// The value of the first field called `name` of the first root called `root`, unless it is a list.
    pub fn get<'a>(&'a self, space: Space, root: &'a [u8], name: &'a [u8]) -> Option<Value<'a>> {
        let root = self.roots(space, root).next()?;
        let field = self.fields(space, root, name).next()?;
        self.item(field).value()
    }

    /// The name of a root or field.
    pub fn name(&self, of: Id) -> &[u8] {
        match self.0.name(of) {
            Key::Text(name) => name,
            Key::Number(_) => b"",
        }
    }

    /// What a root or field holds.
    pub fn item(&self, of: Id) -> Item<'_> {
        self.0.item(of)
    }

    /// Adds a root on top, with a value, or for null without fields.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn add_root(&mut self, space: Space, name: &[u8], value: Value<'_>) -> Result<Id, TooMany> {
        self.0.add(space.root(), End::Front, key(name), item(value))
    }

    /// Adds a field to `root`.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn add_field(
        &mut self,
        root: Id,
        end: End,
        name: &[u8],
        value: Value<'_>,
    ) -> Result<Id, TooMany> {
        self.0.add(Owner::Node(root), end, key(name), item(value))
    }

    /// Changes the value of a root or field; null makes it a root without fields.
    ///
    /// # Errors
    /// There is no room for it; it is unchanged.
    pub fn set(&mut self, of: Id, value: Value<'_>) -> Result<(), TooMany> {
        self.0.set(of, item(value))
    }

    /// Sets the only or newest field called `name` of the newest root called `root`; either is made
    /// where it is not there, and a root that holds a value gets fields instead.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn set_field(
        &mut self,
        space: Space,
        root: &[u8],
        name: &[u8],
        value: Value<'_>,
    ) -> Result<(), TooMany> {
        let found = self.roots(space, root).next();
        let root = match found {
            Some(root) => root,
            None => self.add_root(space, root, Value::Null)?,
        };
        if !matches!(self.item(root), Item::List(_)) {
            self.set(root, Value::Null)?;
        }
        let field = self.fields(space, root, name).next();
        match field {
            Some(field) => self.set(field, value),
            None => self.add_field(root, End::Front, name, value).map(|_| ()),
        }
    }

    /// Removes a root.
    pub fn remove_root(&mut self, space: Space, root: Id) {
        self.0.remove(space.root(), root);
    }

    /// Removes all roots called `name`; says how many there were.
    pub fn remove_roots(&mut self, space: Space, name: &[u8]) -> usize {
        let mut count = 0;
        loop {
            let found = self.roots(space, name).next();
            let Some(root) = found else { return count };
            self.remove_root(space, root);
            count += 1;
        }
    }

    /// Removes a field of `root`.
    pub fn remove_field(&mut self, root: Id, field: Id) {
        self.0.remove(Owner::Node(root), field);
    }

    /// Copies `root` with all its fields to the end of the roots, under another name.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn copy_root(&mut self, space: Space, root: Id, name: &[u8]) -> Result<Id, TooMany> {
        self.0.copy(space.root(), root, key(name))
    }

    /// Puts root `root` into the place of root `of`, which is removed.
    pub fn replace_root(&mut self, space: Space, root: Id, of: Id) {
        self.0.take_place(space.root(), root, of);
    }

    /// Moves the first `count` roots called `name` behind the other roots.
    pub fn rotate(&mut self, space: Space, name: &[u8], count: usize) {
        let first: Vec<Id> = self.roots(space, name).take(count).collect();
        for root in first {
            self.0.move_to_end(space.root(), root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_set_and_names_match_as_the_space_says() {
        let mut xavps = Xavps::default();
        for (space, name, value) in [
            (Space::Xavp, &b"A"[..], 1),
            (Space::Xavp, b"a", 2),
            (Space::Xavi, b"A", 3),
            (Space::Xavi, b"a", 4),
        ] {
            let set = xavps.set_field(space, b"r", name, Value::Int(value));
            set.unwrap();
        }
        let root = xavps.roots(Space::Xavp, b"r").next().unwrap();
        assert_eq!(xavps.all_fields(root).count(), 2);
        assert_eq!(xavps.get(Space::Xavp, b"r", b"A"), Some(Value::Int(1)));
        assert_eq!(xavps.get(Space::Xavp, b"R", b"A"), None);
        let root = xavps.roots(Space::Xavi, b"R").next().unwrap();
        assert_eq!(xavps.all_fields(root).count(), 1);
        assert_eq!(xavps.get(Space::Xavi, b"R", b"A"), Some(Value::Int(4)));
        xavps.remove_roots(Space::Xavi, b"R");
        xavps.remove_roots(Space::Xavp, b"r");
        assert!(xavps.is_empty());
    }

    #[test]
    fn roots_rotate() {
        let mut xavps = Xavps::default();
        for n in [10, 20, 30] {
            xavps.add_root(Space::Xavp, b"n", Value::Int(n)).unwrap();
        }
        xavps.rotate(Space::Xavp, b"n", 1);
        let values: Vec<_> = xavps
            .roots(Space::Xavp, b"n")
            .filter_map(|root| xavps.item(root).value())
            .collect();
        assert_eq!(values, [Value::Int(20), Value::Int(10), Value::Int(30)]);
    }
}
