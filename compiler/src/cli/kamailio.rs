//! The command under the name `kamailio`: Kamailio's options, for units, containers and test suites
//! that are made for it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use kcc_runtime::command::{self, Options};

use super::check::Check;
use super::input::Input;
use super::{Outcome, failed, run};

/// Where Kamailio looks for a configuration when none is named.
const DEFAULT_FILE: &str = "/etc/kamailio/kamailio.cfg";

const USAGE: &str = "\
Usage: kamailio [options]
Options that have an effect:
    -f file        configuration file (default /etc/kamailio/kamailio.cfg, - is standard input)
    -c             check the configuration and end
    -A define      define a name before the file is read (-A WITH_AUTH, -A 'FLT_ACC=1')
    -l address     listen there, too: [proto:]address[:port][/advertised]
    --alias=val    an alias: [proto:]hostname[:port]
    -a mode        auto aliases, yes or no
    -n number      workers
    -T             no TCP
    -d, --debug=n  log level
    -D             -D and -DD stay in the foreground, otherwise the server goes to the background
    -E, -e         log to standard error, in colours
    -P file        write the process id
    -u, -g         user and group to run as
    -w, -t         working directory, chroot
    --server-id=n  number of this server
    --modparam=module:parameter:type:value
    -v, -h         version, this text
Others of Kamailio's options are accepted and named at the start.
This is kcc: `kcc --help` shows its own commands.
";

/// Runs with the arguments after the program's name.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let args: Vec<String> = args
        .into_iter()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let options = match command::parse(&args) {
        Ok(options) => options,
        Err(error) => return failed(format_args!("{error}; see kamailio -h")).into(),
    };
    if options.help {
        print!("{USAGE}");
        return Outcome::Done.into();
    }
    if options.version {
        let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
        println!("version: kcc {} ({arch}/{os})", env!("CARGO_PKG_VERSION"));
        return Outcome::Done.into();
    }
    if let Some(module) = options.modules.first() {
        return failed(format_args!(
            "--loadmodule={module}: not supported yet; load it in the configuration"
        ))
        .into();
    }
    serve_or_check(options)
}

fn serve_or_check(options: Options) -> ExitCode {
    let file = options
        .file
        .clone()
        .unwrap_or_else(|| DEFAULT_FILE.to_owned());
    let input = Input::new(PathBuf::from(file), options.defines.clone());
    if options.check {
        let outcome = Check::plain(input).run();
        if outcome == Outcome::Done {
            eprintln!("config file ok, exiting...");
        }
        return outcome.into();
    }
    let background = matches!(options.foreground, 0 | 3..);
    run::serve(&input, &options, background)
}
