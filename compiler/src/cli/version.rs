//! By whose rules a configuration is compiled: the option that all commands with configurations
//! share.

use clap::{Args, ValueEnum};
use kcc::release::Release;

/// The option.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Version {
    /// Mean by the configuration what this release of Kamailio means by it [default: 6.1, the newest]
    #[arg(long, value_name = "RELEASE")]
    compat: Option<Compat>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Compat {
    /// Integers have 32 bits, `return 0` goes back to the caller
    #[value(name = "4.2")]
    V4_2,
    /// Integers have 32 bits, `while` goes on at negative values
    #[value(name = "5.6")]
    V5_6,
    /// Integers have 64 bits
    #[value(name = "6.1")]
    V6_1,
}

impl Version {
    /// The release that is asked for.
    pub fn given(&self) -> Option<Release> {
        self.compat.map(|compat| match compat {
            Compat::V4_2 => Release::V4_2,
            Compat::V5_6 => Release::V5_6,
            Compat::V6_1 => Release::V6_1,
        })
    }
}
