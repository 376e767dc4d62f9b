//! Releases of Kamailio: by whose rules a configuration is read and compiled.
//!
//! Where releases mean different things by the same text, the newest holds unless another is asked
//! for. What only later ones accept is accepted by the rules of every release.

use std::fmt;

/// A release whose rules can be asked for. Those in between follow the nearest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 4.2
    V4_2,
    /// 5.6
    V5_6,
    /// 6.1, the newest.
    #[default]
    V6_1,
}

impl Release {
    /// All of them, the oldest first.
    pub const ALL: [Release; 3] = [Release::V4_2, Release::V5_6, Release::V6_1];

    /// Its number as people write it: `5.6`.
    pub const fn name(self) -> &'static str {
        match self {
            Release::V4_2 => "4.2",
            Release::V5_6 => "5.6",
            Release::V6_1 => "6.1",
        }
    }

    /// The one that is called `name`, as [`Release::name`] does.
    pub fn named(name: &str) -> Option<Release> {
        Release::ALL
            .into_iter()
            .find(|release| release.name() == name)
    }

    /// The one whose rules the Kamailio of this version follows, such as `5.6.3` or `6.0`: most of
    /// them changed with 5.4 and with 5.7.
    pub fn of_version(version: &str) -> Option<Release> {
        let mut numbers = version.split('.').map(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit());
            part[..end.unwrap_or(part.len())].parse::<u32>().ok()
        });
        let major = numbers.next().flatten()?;
        let minor = numbers.next().flatten().unwrap_or(0);
        Some(match (major, minor) {
            (..5, _) | (5, ..4) => Release::V4_2,
            (5, ..7) => Release::V5_6,
            _ => Release::V6_1,
        })
    }

    /// Its last version: `(5, 6, 6)`.
    pub const fn version(self) -> (u32, u32, u32) {
        match self {
            Release::V4_2 => (4, 2, 8),
            Release::V5_6 => (5, 6, 6),
            Release::V6_1 => (6, 1, 4),
        }
    }

    /// Most conditionals of the preprocessor that are open at once.
    pub const fn conditionals(self) -> usize {
        match self {
            Release::V4_2 => 256,
            Release::V5_6 | Release::V6_1 => 512,
        }
    }

    /// `pv_buffer_size` where the configuration does not set it, in bytes.
    pub const fn format_buffer(self) -> i64 {
        match self {
            Release::V4_2 | Release::V5_6 => 8192,
            Release::V6_1 => 32_768,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_the_nearest_release() {
        for (version, release) in [
            ("4.2.8", Some(Release::V4_2)),
            ("5.3", Some(Release::V4_2)),
            ("5.4.8", Some(Release::V5_6)),
            ("5.6.3", Some(Release::V5_6)),
            ("5.7.0", Some(Release::V6_1)),
            ("6.2.0-dev1", Some(Release::V6_1)),
            ("6", Some(Release::V6_1)),
            ("", None),
            ("x.y", None),
        ] {
            assert_eq!(Release::of_version(version), release, "{version}");
        }
        for release in Release::ALL {
            assert_eq!(Release::named(release.name()), Some(release));
            assert_eq!(Release::of_version(release.name()), Some(release));
        }
    }
}
