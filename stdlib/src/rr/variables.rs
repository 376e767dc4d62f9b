//! Variables of routes and directions.

use kcc_macros::part;

/// Variables of `rr`.
#[part(module = "rr")]
pub mod exports {
    use kcc_runtime::declare::{Const, ConstantError, Parse};
    use kcc_runtime::run::Run;
    use kcc_runtime::value::Value;

    use crate::rr::direction::{Direction, direction};
    use crate::rr::routes::routes;

    /// The URI of the first Route header field; empty where there is none, or a malformed one.
    #[pv(name = "route_uri")]
    fn route_uri(run: &mut Run) -> &[u8] {
        match routes(&run.message).next() {
            Some(Ok(route)) => route.uri,
            _ => b"",
        }
    }

    /// The direction of the request in its dialog: `$rdir(id)` is 1 or 2, `$rdir(name)`
    /// `downstream` or `upstream`.
    #[pv(name = "rdir")]
    fn rdir(run: &mut Run, form: Const<Form>) -> Value<'static> {
        let direction = direction(run);
        match *form {
            Form::Number => Value::Int(direction.number()),
            Form::Name => Value::Str(direction.name().as_bytes()),
        }
    }

    /// The From tag of the request that began the dialog.
    #[pv(name = "fti")]
    fn fti(run: &mut Run) -> Option<&[u8]> {
        match direction(run) {
            Direction::Downstream => run.message.from_tag(),
            Direction::Upstream => run.message.to_tag(),
        }
    }

    /// The To tag of the dialog as the request that began it got it.
    #[pv(name = "tti")]
    fn tti(run: &mut Run) -> Option<&[u8]> {
        match direction(run) {
            Direction::Downstream => run.message.to_tag(),
            Direction::Upstream => run.message.from_tag(),
        }
    }

    /// What `$rdir` gives.
    #[derive(Clone, Copy)]
    pub enum Form {
        Number,
        Name,
    }

    impl Parse for Form {
        const NAME: &'static str = "rr-rdir";
        const WHAT: &'static str = "a form of the direction";

        fn parse(text: &[u8]) -> Result<Self, ConstantError> {
            match text {
                b"id" => Ok(Form::Number),
                b"name" => Ok(Form::Name),
                _ => Err(ConstantError::new("it is id or name")),
            }
        }
    }
}
