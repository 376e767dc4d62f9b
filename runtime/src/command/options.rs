//! Kamailio's command line, read as Kamailio reads it: short options may be joined (`-DDE`) and
//! take their value with or without a blank, long ones with `=` or a blank.

/// An option without a value that changes nothing here, and why.
const NO_EFFECT: &[(char, &str)] = &[
    ('I', "there are no compile flags to print"),
    ('K', "Via hosts of replies are not checked"),
    ('r', "received is added by address"),
    ('R', "received is added by address"),
    ('S', "SCTP is not served"),
];

/// An option with a value that changes nothing here, and why.
const NO_EFFECT_VALUE: &[(char, &str)] = &[
    ('b', "the kernel's buffer is asked for once"),
    ('G', "there is no process group"),
    ('L', "modules are part of the executable"),
    ('m', "memory is not set aside"),
    ('M', "memory is not set aside"),
    ('N', "the workers serve TCP"),
    ('O', "there is one level of optimisation"),
    ('Q', "SCTP is not served"),
    ('W', "the poll method is epoll"),
    ('x', "there is one memory manager"),
    ('X', "there is one memory manager"),
    ('Y', "no files are made at run time"),
];

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-f`.
    pub file: Option<String>,
    /// `-c`: check only.
    pub check: bool,
    /// `-h`.
    pub help: bool,
    /// `-v`, `-V`, `--version`.
    pub version: bool,
    /// `-A`, in order.
    pub defines: Vec<String>,
    /// `-l`, in order.
    pub listen: Vec<String>,
    /// `--alias`.
    pub aliases: Vec<String>,
    /// `-a`.
    pub auto_aliases: Option<bool>,
    /// `-d`, counted, or `--debug`.
    pub debug: Option<i64>,
    /// `-D`, counted: 0 and 3 leave the terminal.
    pub foreground: u32,
    /// `-E`.
    pub log_stderr: bool,
    /// `-e`.
    pub log_color: bool,
    /// `-n`.
    pub children: Option<i64>,
    /// `-T`.
    pub disable_tcp: bool,
    /// `-P`.
    pub pid_file: Option<String>,
    /// `-u`.
    pub user: Option<String>,
    /// `-g`.
    pub group: Option<String>,
    /// `-w`.
    pub directory: Option<String>,
    /// `-t`.
    pub chroot: Option<String>,
    /// `--server-id`.
    pub server_id: Option<i64>,
    /// `--loadmodule`.
    pub modules: Vec<String>,
    /// `--modparam`.
    pub params: Vec<String>,
    /// Options that were accepted and change nothing, with the reason.
    pub without_effect: Vec<(String, &'static str)>,
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn parse(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            options.long(long, &mut args)?;
        } else if let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            options.short(letters, &mut args)?;
        } else {
            return Err(format!("unexpected argument `{arg}`"));
        }
    }
    Ok(options)
}

impl Options {
    fn short<'a>(
        &mut self,
        letters: &'a str,
        rest: &mut impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            if self.flag(letter) {
                continue;
            }
            let joined = &letters[at + letter.len_utf8()..];
            if !takes_value(letter) {
                return Err(format!("unknown option `-{letter}`"));
            }
            let value = if joined.is_empty() {
                rest.next()
            } else {
                Some(joined)
            };
            let value = value.ok_or_else(|| format!("option `-{letter}` needs a value"))?;
            return self.value(letter, value);
        }
        Ok(())
    }

    fn flag(&mut self, letter: char) -> bool {
        match letter {
            'c' => self.check = true,
            'd' => self.debug = Some(self.debug.unwrap_or(0) + 1),
            'D' => self.foreground += 1,
            'e' => self.log_color = true,
            'E' => self.log_stderr = true,
            'h' => self.help = true,
            'T' => self.disable_tcp = true,
            'v' | 'V' => self.version = true,
            _ => {
                let Some((_, why)) = NO_EFFECT.iter().find(|(name, _)| *name == letter) else {
                    return false;
                };
                self.without_effect.push((format!("-{letter}"), why));
            }
        }
        true
    }

    fn value(&mut self, letter: char, value: &str) -> Result<(), String> {
        let text = || value.to_owned();
        match letter {
            'a' => self.auto_aliases = Some(yes_or_no(value).ok_or("`-a` takes yes or no")?),
            'A' => self.defines.push(text()),
            'f' => self.file = Some(text()),
            'g' => self.group = Some(text()),
            'l' => self.listen.push(text()),
            'n' => self.children = Some(number(value, "-n")?),
            'P' => self.pid_file = Some(text()),
            't' => self.chroot = Some(text()),
            'u' => self.user = Some(text()),
            'w' => self.directory = Some(text()),
            _ => {
                let fact = NO_EFFECT_VALUE.iter().find(|(name, _)| *name == letter);
                let why = fact.map_or("it has no meaning here", |(_, why)| why);
                self.without_effect
                    .push((format!("-{letter} {value}"), why));
            }
        }
        Ok(())
    }

    fn long<'a>(
        &mut self,
        option: &'a str,
        rest: &mut impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        let (name, joined) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        match name {
            "help" => self.help = true,
            "version" => self.version = true,
            "cfg-print" => return Err("`--cfg-print` is not supported yet".to_owned()),
            _ => {
                let value = joined.or_else(|| rest.next());
                let value = value.ok_or_else(|| format!("option `--{name}` needs a value"))?;
                self.long_value(name, value)?;
            }
        }
        Ok(())
    }

    fn long_value(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "alias" => self.aliases.push(value.to_owned()),
            "debug" => self.debug = Some(number(value, "--debug")?),
            "server-id" => self.server_id = Some(number(value, "--server-id")?),
            "loadmodule" => self.modules.push(value.to_owned()),
            "modparam" => self.params.push(value.to_owned()),
            "atexit" => {
                let why = "no library has exit callbacks here";
                self.without_effect.push((format!("--{name}={value}"), why));
            }
            "subst" | "substdef" | "substdefs" | "log-engine" => {
                return Err(format!("`--{name}` is not supported yet"));
            }
            _ => return Err(format!("unknown option `--{name}`")),
        }
        Ok(())
    }
}

fn takes_value(letter: char) -> bool {
    "aAfglnPtuw".contains(letter) || NO_EFFECT_VALUE.iter().any(|(name, _)| *name == letter)
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" | "on" => Some(true),
        "no" | "off" => Some(false),
        _ => None,
    }
}

fn number(text: &str, option: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("`{option}` takes a number, not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_unit_file_line_is_understood() {
        let options = read(
            "-P /run/kamailio/kamailio.pid -f /etc/kamailio/kamailio.cfg -m 64 -M 8 --atexit=no -u kamailio -gkamailio",
        );
        let options = options.unwrap();
        assert_eq!(options.file.as_deref(), Some("/etc/kamailio/kamailio.cfg"));
        assert_eq!(
            options.pid_file.as_deref(),
            Some("/run/kamailio/kamailio.pid")
        );
        assert_eq!(options.group.as_deref(), Some("kamailio"));
        let named: Vec<_> = options
            .without_effect
            .iter()
            .map(|(option, _)| option.as_str())
            .collect();
        assert_eq!(named, ["-m 64", "-M 8", "--atexit=no"]);
    }

    #[test]
    fn flags_may_be_joined_and_end_with_one_that_takes_a_value() {
        let options = read("-DDEef k.cfg -A WITH_NAT -A X=1 -ddd -l udp:127.0.0.1:5080").unwrap();
        assert_eq!(
            (options.foreground, options.log_stderr, options.log_color),
            (2, true, true)
        );
        assert_eq!(options.file.as_deref(), Some("k.cfg"));
        assert_eq!(options.defines, ["WITH_NAT", "X=1"]);
        assert_eq!(options.debug, Some(3));
        assert_eq!(options.listen, ["udp:127.0.0.1:5080"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read("-f").unwrap_err(), "option `-f` needs a value");
        assert_eq!(read("-Z").unwrap_err(), "unknown option `-Z`");
        assert_eq!(
            read("-n many").unwrap_err(),
            "`-n` takes a number, not `many`"
        );
        assert_eq!(
            read("--nonsense=1").unwrap_err(),
            "unknown option `--nonsense`"
        );
        assert_eq!(read("k.cfg").unwrap_err(), "unexpected argument `k.cfg`");
    }
}
