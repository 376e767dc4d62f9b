//! Where everybody is, and the configuration that the server gets.
//!
//! A scenario runs in a block of loopback addresses of its own: the server at `127.0.N.1`, the
//! endpoints from `127.0.N.11` on, all on port 5060 unless the file says otherwise; N is 0 on the
//! simulated network. The text of the configuration keeps the line numbers of the scenario file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use kcc_runtime::transport::Protocol;
use regex::Regex;

use super::Fault;
use super::model::{Config, Scenario};
use super::stage::certificate_files;
use super::template::{Names, Template};
use crate::release::Release;

/// SIP's port.
const PORT: u16 = 5060;
/// The last number of the first endpoint's address.
const FIRST_ENDPOINT: u8 = 11;

/// A scenario with addresses.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The first address of the server.
    pub server: SocketAddr,
    /// Where it takes TLS.
    pub secure: SocketAddr,
    /// The endpoints' addresses.
    pub endpoints: Vec<SocketAddr>,
    names: Vec<String>,
    /// The configuration.
    pub config: Text,
}

/// A configuration, ready to be read.
#[derive(Clone, Debug)]
pub struct Text {
    /// What its main file is called: relative names in it are looked for from there.
    pub path: PathBuf,
    /// The main file.
    pub text: Vec<u8>,
    /// Defines of the command line.
    pub defines: Vec<(String, Option<String>)>,
    /// Files beside it.
    pub files: Vec<(String, Vec<u8>)>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// By whose rules kcc compiles it.
    pub release: Release,
}

impl Plan {
    /// Gives `scenario` the addresses of block `block`.
    ///
    /// # Errors
    /// The configuration cannot be read, or there is none.
    pub fn new(scenario: &Scenario, block: u8) -> Result<Plan, Fault> {
        let setup = &scenario.setup;
        let ip = |last: u8| IpAddr::V4(Ipv4Addr::new(127, 0, block, last));
        let endpoints = setup.endpoints.iter().enumerate().map(|(n, endpoint)| {
            let last = FIRST_ENDPOINT.saturating_add(n as u8);
            SocketAddr::new(ip(last), endpoint.port.unwrap_or(PORT))
        });
        let mut plan = Plan {
            server: SocketAddr::new(ip(1), PORT),
            secure: SocketAddr::new(ip(1), PORT + 1),
            endpoints: endpoints.collect(),
            names: setup
                .endpoints
                .iter()
                .map(|endpoint| endpoint.name.clone())
                .collect(),
            config: Text {
                path: PathBuf::new(),
                text: Vec::new(),
                defines: Vec::new(),
                files: setup.files.clone(),
                environment: setup.environment.clone(),
                release: Release::default(),
            },
        };
        let split = |define: &String| match define.split_once('=') {
            Some((name, value)) => {
                let value = Template::parse(0, value.as_bytes()).expand_known(&plan);
                (
                    name.to_owned(),
                    Some(String::from_utf8_lossy(&value).into_owned()),
                )
            }
            None => (define.clone(), None),
        };
        plan.config.defines = setup.defines.iter().map(split).collect();
        let (path, text) = main_text(scenario)?;
        let text = Template::parse(0, text.as_bytes()).expand_known(&plan);
        let mut text = String::from_utf8_lossy(&text).into_owned();
        plan.listen(scenario, &mut text)?;
        plan.config.path = path;
        plan.config.text = text.into_bytes();
        Ok(plan)
    }

    /// Sees to the sockets: the scenario's own, else the configuration's, else one of each
    /// protocol in use at the server's address.
    fn listen(&mut self, scenario: &Scenario, text: &mut String) -> Result<(), Fault> {
        let given = &scenario.setup.server;
        let mut addresses = Vec::new();
        let mut no_tcp = false;
        for word in given {
            let word = Template::parse(scenario.line, word.as_bytes()).expand(&*self)?;
            let word = String::from_utf8_lossy(&word).into_owned();
            addresses.push(match Protocol::from_name(word.as_bytes()) {
                Some(protocol) => format!("{protocol}:{}", self.server_for(protocol)),
                None => word,
            });
        }
        if !given.is_empty() {
            let silenced = LISTEN.replace_all(text, |found: &regex::Captures<'_>| {
                let lines = found[0].matches('\n').count();
                format!("# replaced by the scenario{}", "\n".repeat(lines))
            });
            *text = silenced.into_owned();
        } else if LISTEN.is_match(text) {
            let first = LISTEN_ADDRESS.captures(text).and_then(|found| {
                format!(
                    "{}:{}",
                    &found[1],
                    found.get(2).map_or("5060", |port| port.as_str())
                )
                .parse()
                .ok()
            });
            self.server = first.unwrap_or(self.server);
            let secure = LISTEN_TLS.captures(text).and_then(|f| f[1].parse().ok());
            self.secure = secure.unwrap_or(self.secure);
        } else {
            addresses.push(format!("udp:{}", self.server));
            let endpoints = &scenario.setup.endpoints;
            let over = |carrier| endpoints.iter().any(|e| e.protocol.carrier() == carrier);
            let (tcp, tls) = (over(Protocol::Tcp), over(Protocol::Tls));
            if tcp {
                addresses.push(format!("tcp:{}", self.server));
            }
            if tls {
                addresses.push(format!("tls:{}", self.secure));
            }
            no_tcp = !tcp && !tls && !text.contains("disable_tcp");
        }
        let mut more: Vec<String> = addresses
            .iter()
            .map(|one| format!("listen={one}"))
            .collect();
        if !CHILDREN.is_match(text) {
            more.push("children=1".into());
        }
        if no_tcp {
            more.push("disable_tcp=yes".into());
        }
        // Text from the scenario file begins with empty lines, which have room for it.
        match text.strip_prefix('\n') {
            Some(rest) => *text = format!("{}\n{rest}", more.join(" ")),
            None => text.push_str(&format!("\n{}\n", more.join("\n"))),
        }
        let parsed = |one: &String| one.split_once(':')?.1.parse().ok();
        self.server = addresses.first().and_then(parsed).unwrap_or(self.server);
        let mut secure = addresses.iter().filter(|one| one.starts_with("tls:"));
        self.secure = secure.next().and_then(parsed).unwrap_or(self.secure);
        Ok(())
    }

    /// Where endpoints that speak `protocol` find the server.
    pub fn server_for(&self, protocol: Protocol) -> SocketAddr {
        match protocol.secure() {
            true => self.secure,
            false => self.server,
        }
    }

    /// The name of whoever is at `address`.
    pub fn name_of(&self, address: SocketAddr) -> Option<&str> {
        if address == self.server || address == self.secure {
            return Some("server");
        }
        let found = self
            .endpoints
            .iter()
            .position(|endpoint| *endpoint == address)?;
        self.names.get(found).map(String::as_str)
    }

    /// Everybody's name and address.
    pub fn everybody(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        let server = std::iter::once(("server", self.server));
        let names = self.names.iter().map(String::as_str);
        server.chain(names.zip(self.endpoints.iter().copied()))
    }
}

impl Names for Plan {
    fn value(&self, name: &str) -> Option<String> {
        match name {
            "server.tls" => return Some(self.secure.to_string()),
            "server.certificate" | "server.key" => {
                let (certificate, key) = certificate_files()?;
                let file = if name == "server.key" {
                    key
                } else {
                    certificate
                };
                return Some(file.display().to_string());
            }
            _ => {}
        }
        let (who, what) = name.split_once('.').unwrap_or((name, ""));
        let (_, address) = self.everybody().find(|(name, _)| *name == who)?;
        match what {
            "" => Some(address.to_string()),
            "ip" => Some(address.ip().to_string()),
            "port" => Some(address.port().to_string()),
            _ => None,
        }
    }
}

static LISTEN: LazyLock<Regex> = LazyLock::new(|| {
    constant(r#"(?m)^[ \t]*(?:listen|socket)[ \t]*=[ \t]*(?:\{[^}]*\}|[^\n{]*)$"#)
});
static LISTEN_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"(?m)^[ \t]*(?:listen[ \t]*=|bind[ \t]*=|socket[ \t]*=)[ \t]*"?(?:[a-z]+:)?(\d+\.\d+\.\d+\.\d+)(?::(\d+))?"#,
    )
});
static LISTEN_TLS: LazyLock<Regex> =
    LazyLock::new(|| constant(r#"(?m)^[ \t]*listen[ \t]*=[ \t]*"?tls:(\d+\.\d+\.\d+\.\d+:\d+)"#));
static CHILDREN: LazyLock<Regex> = LazyLock::new(|| constant(r"(?m)^[ \t]*children[ \t]*="));

#[allow(clippy::expect_used)]
fn constant(text: &str) -> Regex {
    Regex::new(text).expect("the expression is a constant that a test compiles")
}

/// The path without `..` after names: as `cd` understands it, links aside.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        let named = matches!(out.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::ParentDir if named => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

/// The path and the text of the main file. Text from the scenario file keeps its line numbers.
fn main_text(scenario: &Scenario) -> Result<(PathBuf, String), Fault> {
    let folder = Path::new(&scenario.file).parent().unwrap_or(Path::new(""));
    let pieces = &scenario.setup.config;
    if let [Config::File { line, path }] = pieces.as_slice() {
        let path = tidy(&folder.join(path));
        let text = std::fs::read(&path).map_err(|error| {
            Fault::new(*line, format!("cannot read {}: {error}", path.display()))
        })?;
        return Ok((path, String::from_utf8_lossy(&text).into_owned()));
    }
    let mut text = String::new();
    let mut line = 1;
    for piece in pieces {
        let (at, piece) = match piece {
            Config::Inline { line, text } => (*line, text.clone()),
            Config::Exact { line, text } => (*line, String::from_utf8_lossy(text).into_owned()),
            Config::File { line, path } => (*line, format!("include_file \"{path}\"\n")),
        };
        while line < at {
            text.push('\n');
            line += 1;
        }
        line += piece.matches('\n').count() as u32;
        text.push_str(&piece);
    }
    if pieces.is_empty() {
        return Err(Fault::new(
            scenario.line,
            "no configuration: `config FILE` or `config <<<`",
        ));
    }
    Ok((PathBuf::from(&scenario.file), text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::read;

    fn plan(text: &str) -> Plan {
        let scenarios = read("x/y.scenario", text).unwrap();
        Plan::new(&scenarios[0], 3).unwrap()
    }

    #[test]
    fn inline_text_keeps_its_lines_and_gets_sockets() {
        let plan = plan(
            "config <<<\ndebug=1\nroute { forward({bob}); }\n>>>\nendpoint bob udp\nbob sends X",
        );
        let text = String::from_utf8(plan.config.text.clone()).unwrap();
        assert_eq!(
            text,
            "listen=udp:127.0.3.1:5060 children=1 disable_tcp=yes\ndebug=1\nroute { forward(127.0.3.11:5060); }\n"
        );
        assert_eq!(plan.value("bob.port").as_deref(), Some("5060"));
        assert_eq!(plan.name_of(plan.server), Some("server"));
    }

    #[test]
    fn sockets_of_the_configuration_stay_unless_the_scenario_gives_its_own() {
        let own = "config <<<\nlisten=udp:127.0.0.1:5070\nchildren=2\nroute { }\n>>>\n";
        let kept = plan(&format!("{own}server starts"));
        assert_eq!(kept.server.to_string(), "127.0.0.1:5070");
        let replaced = plan(&format!(
            "{own}server udp tcp:127.0.3.1:5080\nserver starts"
        ));
        let text = String::from_utf8(replaced.config.text.clone()).unwrap();
        assert_eq!(
            text,
            "listen=udp:127.0.3.1:5060 listen=tcp:127.0.3.1:5080\n# replaced by the scenario\nchildren=2\nroute { }\n"
        );
    }
}
