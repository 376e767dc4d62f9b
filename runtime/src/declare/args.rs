//! Kinds of argument: what a Rust type in a builtin's signature says about the text in the
//! configuration, and how the value that compiled code passes becomes that type.

use std::any::TypeId;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::ptr::NonNull;

use crate::abi;
use crate::declare::Routes;
use crate::value::{Val, Value, tag};

/// An argument of a builtin.
#[derive(Clone, Copy, Debug)]
pub struct ArgDecl {
    /// Its name, for messages and the manual.
    pub name: &'static str,
    /// What it takes.
    pub kind: ArgKind,
    /// Whether it may be left out.
    pub optional: bool,
}

/// What the compiler makes of an argument's text.
#[derive(Clone, Copy, Debug)]
pub enum ArgKind {
    /// Text with variables in it (`$$` is a dollar); passed as a string.
    Text,
    /// A constant string, as written: `$` means nothing in it.
    Raw,
    /// A number, or text that is a number when its variables are replaced; passed as an integer.
    Int,
    /// Any value, passed as it is.
    Any,
    /// Exactly one variable, to read or to assign; passed as a [`Place`].
    Place,
    /// A constant, parsed once at load; refused where it holds a variable.
    Constant(&'static ConstantKind),
    /// As [`ArgKind::Constant`]; where it holds variables the text is passed and parsed at run time.
    Parsed(&'static ConstantKind),
    /// The name of a route block of this kind; passed as its index in the program.
    Route(Routes),
    /// A flag's number (0 to 31) or declared name; passed as its number.
    Flag,
    /// `name=>key`: one of the names that a parameter declares, and text with variables in it; passed
    /// as a string, as it is written.
    Keyed(&'static Family),
    /// The index of a variable.
    Index,
}

/// Names that `modparam()` declares, such as those of hash tables.
#[derive(Debug)]
pub struct Family {
    /// What one of them names, for messages: "hash table".
    pub what: &'static str,
    /// The module.
    pub module: &'static str,
    /// Its parameter, given once for each name.
    pub param: &'static str,
    /// The name that a value of the parameter declares.
    pub name: fn(&[u8]) -> Option<&[u8]>,
}

/// How a type of constant is recognised and made.
#[derive(Debug)]
pub struct ConstantKind {
    /// Unique name, written into standalone programs.
    pub name: &'static str,
    /// What it is, for messages: "a regular expression".
    pub what: &'static str,
    /// Where a variable stands for it, the variable's value is passed as it is, and not as text.
    pub by_value: bool,
    /// Indices inside the text that may be variables.
    pub holes: Option<Holes>,
    /// Parses the text.
    pub parse: fn(&[u8]) -> Result<Constant, ConstantError>,
    /// The type that it is parsed to: kinds of one name have one type.
    pub ty: fn() -> TypeId,
}

/// Indices that stand inside a constant and may be variables, as in `$xavp(a[$var(i)]=>b)`: they are
/// passed as arguments of their own, after the constant.
#[derive(Clone, Copy, Debug)]
pub struct Holes {
    /// How many arguments follow the constant, at most 2; null for one without a variable.
    pub count: usize,
    /// Where in the text the variables stand: each the place of an argument, in order.
    pub find: fn(&[u8]) -> Vec<Hollow>,
}

/// The number of an argument, and the place of its variable in the text.
pub type Hollow = (usize, Range<usize>);

/// Why a constant is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstantError {
    /// Byte offset inside the text.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

impl ConstantError {
    /// An error about the text as a whole.
    pub fn new(message: impl Into<String>) -> ConstantError {
        ConstantError {
            offset: 0,
            message: message.into(),
        }
    }
}

/// A parsed constant of any type, owned.
#[derive(Debug)]
pub struct Constant {
    address: NonNull<()>,
    drop: unsafe fn(NonNull<()>),
}

// SAFETY: made from `Box<T: Send + Sync>` only.
unsafe impl Send for Constant {}
// SAFETY: as above.
unsafe impl Sync for Constant {}

impl Constant {
    /// Owns `value`.
    pub fn new<T: Send + Sync + 'static>(value: T) -> Constant {
        /// # Safety
        /// `address` came from `Box<T>` and is not used again.
        unsafe fn drop_as<T>(address: NonNull<()>) {
            // SAFETY: the promise of this function.
            drop(unsafe { Box::from_raw(address.cast::<T>().as_ptr()) });
        }
        Constant {
            address: NonNull::from(Box::leak(Box::new(value))).cast(),
            drop: drop_as::<T>,
        }
    }

    /// Where it lies, for compiled code.
    pub fn address(&self) -> *const () {
        self.address.as_ptr()
    }
}

impl Drop for Constant {
    fn drop(&mut self) {
        // SAFETY: `address` came from the matching `Box` and this is its only drop.
        unsafe { (self.drop)(self.address) }
    }
}

/// A type that a constant argument is parsed to.
pub trait Parse: Sized + Send + Sync + 'static {
    /// Unique name: see [`ConstantKind::name`].
    const NAME: &'static str;
    /// What it is, for messages.
    const WHAT: &'static str;

    /// See [`ConstantKind::by_value`]; the type that takes the argument must then accept any value.
    const BY_VALUE: bool = false;

    /// See [`ConstantKind::holes`].
    const HOLES: Option<Holes> = None;

    /// Parses the text of the argument.
    fn parse(text: &[u8]) -> Result<Self, ConstantError>;

    /// Its kind.
    const KIND: &'static ConstantKind = &ConstantKind {
        name: Self::NAME,
        what: Self::WHAT,
        by_value: Self::BY_VALUE,
        holes: Self::HOLES,
        parse: |text| Self::parse(text).map(Constant::new),
        ty: TypeId::of::<Self>,
    };
}

/// A type that may stand in a builtin's signature.
pub trait Arg<'a>: Sized {
    /// What the compiler does with the text.
    const KIND: ArgKind;
    /// Whether it may be left out.
    const OPTIONAL: bool = false;

    /// The argument from the value that compiled code passed.
    ///
    /// # Safety
    /// `val` was made by compiled code for an argument of this kind and is alive for `'a`.
    unsafe fn take(val: Val) -> Self;
}

/// Text with its variables replaced.
pub type Text<'a> = &'a [u8];
/// An integer.
pub type Int = i64;

impl<'a> Arg<'a> for &'a [u8] {
    const KIND: ArgKind = ArgKind::Text;

    unsafe fn take(val: Val) -> Self {
        // SAFETY: the caller's promise.
        match unsafe { val.view() } {
            Value::Str(text) => text,
            _ => b"",
        }
    }
}

impl Arg<'_> for i64 {
    const KIND: ArgKind = ArgKind::Int;

    unsafe fn take(val: Val) -> Self {
        val.data as i64
    }
}

impl<'a> Arg<'a> for Value<'a> {
    const KIND: ArgKind = ArgKind::Any;

    unsafe fn take(val: Val) -> Self {
        // SAFETY: the caller's promise.
        unsafe { val.view() }
    }
}

impl<'a, A: Arg<'a>> Arg<'a> for Option<A> {
    const KIND: ArgKind = A::KIND;
    const OPTIONAL: bool = true;

    unsafe fn take(val: Val) -> Self {
        if val.kind() == tag::NULL {
            return None;
        }
        // SAFETY: the caller's promise.
        Some(unsafe { A::take(val) })
    }
}

/// Constant text, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(pub &'a [u8]);

impl<'a> Arg<'a> for Raw<'a> {
    const KIND: ArgKind = ArgKind::Raw;

    unsafe fn take(val: Val) -> Self {
        // SAFETY: the caller's promise.
        Raw(unsafe { <&[u8]>::take(val) })
    }
}

/// A constant that was parsed when the program was loaded.
#[derive(Debug)]
pub struct Const<'a, T>(&'a T);

impl<T> Deref for Const<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

impl<'a, T: Parse> Arg<'a> for Const<'a, T> {
    const KIND: ArgKind = ArgKind::Constant(T::KIND);

    unsafe fn take(val: Val) -> Self {
        // SAFETY: the address of a constant of type `T`, alive while the program is.
        Const(unsafe { &*(val.data as *const T) })
    }
}

/// A constant parsed at load, or text that came out of variables.
#[derive(Debug)]
pub enum Parsed<'a, T> {
    /// Parsed at load.
    Constant(&'a T),
    /// To be parsed now.
    Text(&'a [u8]),
}

impl<'a, T: Parse> Arg<'a> for Parsed<'a, T> {
    const KIND: ArgKind = ArgKind::Parsed(T::KIND);

    unsafe fn take(val: Val) -> Self {
        if val.kind() == tag::CONSTANT {
            // SAFETY: the address of a constant of type `T`, alive while the program is.
            return Parsed::Constant(unsafe { &*(val.data as *const T) });
        }
        // SAFETY: the caller's promise.
        Parsed::Text(unsafe { <&[u8]>::take(val) })
    }
}

/// A variable to read or to assign.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub(crate) place: NonNull<abi::Place>,
    life: PhantomData<&'a abi::Place>,
}

impl<'a> Arg<'a> for Place<'a> {
    const KIND: ArgKind = ArgKind::Place;

    unsafe fn take(val: Val) -> Self {
        let place = NonNull::new(val.data as *mut abi::Place).unwrap_or(NonNull::dangling());
        Place {
            place,
            life: PhantomData,
        }
    }
}

/// The index of a route block in the program, checked by the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRef<const KIND: u16>(pub u32);

impl<const KIND: u16> Arg<'_> for RouteRef<KIND> {
    const KIND: ArgKind = ArgKind::Route(Routes(KIND));

    unsafe fn take(val: Val) -> Self {
        RouteRef(val.data as u32)
    }
}

/// A flag's number, 0 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag(pub u8);

impl Arg<'_> for Flag {
    const KIND: ArgKind = ArgKind::Flag;

    unsafe fn take(val: Val) -> Self {
        Flag((val.data & 31) as u8)
    }
}

/// The index of a variable: `$(name[i])`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// None written.
    Absent,
    /// `[n]`: from the start, or from the end where negative.
    At(i64),
    /// `[*]`.
    All,
}

impl Index {
    /// `[*]` as compiled code passes it.
    pub const ALL: Val = Val {
        tag: tag::CONSTANT,
        data: 0,
    };

    /// The element that the index means among `len`: no index is the first.
    pub fn among(self, len: usize) -> Option<usize> {
        let n = match self {
            Index::Absent | Index::All => 0,
            Index::At(n) => n,
        };
        let place = if n < 0 {
            n.checked_add(i64::try_from(len).ok()?)?
        } else {
            n
        };
        usize::try_from(place).ok().filter(|place| *place < len)
    }
}

/// An index inside a variable's inner name that is a variable: see [`Holes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole(pub Option<i64>);

impl Arg<'_> for Hole {
    const KIND: ArgKind = ArgKind::Index;

    unsafe fn take(val: Val) -> Self {
        Hole((val.kind() == tag::INT).then_some(val.data as i64))
    }
}

impl Arg<'_> for Index {
    const KIND: ArgKind = ArgKind::Index;

    unsafe fn take(val: Val) -> Self {
        match val.kind() {
            tag::INT => Index::At(val.data as i64),
            tag::CONSTANT => Index::All,
            _ => Index::Absent,
        }
    }
}
