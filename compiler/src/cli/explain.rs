//! `kcc explain`: the manual of a name, from its declaration; for what is not here yet, what
//! Kamailio knows of it.

use clap::Args;
use kcc::explain::{Answer, explain};

use super::Outcome;

/// Show the manual of a function, parameter, variable, transformation or module
#[derive(Args)]
pub struct Explain {
    /// A name: `t_relay`, `$ru`, `{s.len}`, `tm`, `tm.fr_timer`, `max_while_loops`
    #[arg(value_name = "NAME")]
    name: String,
}

impl Explain {
    /// Prints what is known of the name.
    pub fn run(self) -> Outcome {
        match explain(&self.name, kcc_stdlib::MODULES) {
            Answer::Manual(text) => {
                print!("{text}");
                Outcome::Done
            }
            Answer::Unknown(message) => super::failed(message),
        }
    }
}
