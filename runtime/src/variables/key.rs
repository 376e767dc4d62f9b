//! Keys: the fixed words that stand in parentheses after a variable's name, as in `$nh(u)`.

/// Declares an enum of keys with the words that name them, and how it is parsed.
macro_rules! keys {
    ($(#[doc = $doc:literal])+ $ty:ident($name:literal, $what:literal) {
        $($(#[doc = $key_doc:literal])+ $key:ident = $($word:literal)|+,)*
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $ty {
            $($(#[doc = $key_doc])+ $key,)*
        }

        impl $crate::declare::Parse for $ty {
            const NAME: &'static str = $name;
            const WHAT: &'static str = $what;

            fn parse(text: &[u8]) -> Result<Self, $crate::declare::ConstantError> {
                $($(if text == $word.as_bytes() {
                    return Ok($ty::$key);
                })+)*
                Err($crate::declare::ConstantError::new(concat!(
                    "one of these is expected:"
                    $($(, " ", $word)+)*
                )))
            }
        }
    };
}

pub(super) use keys;
