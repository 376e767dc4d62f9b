//! Leaving the terminal: the process that was started ends when the server is ready or has failed,
//! with the code that says which; the server lives on in the background.
//!
//! This is the one place of the command with `unsafe`: `fork` and changing the user have no safe
//! form.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The side of the background process: tells the waiting one.
pub struct Waiting(File);

impl Waiting {
    /// Lets the process that was started end well.
    pub fn ready(mut self) {
        // Where it is gone nobody waits.
        let _ = self.0.write_all(b"+");
    }
}

/// Goes to the background. Returns in the background process only; the one that was started waits
/// for [`Waiting::ready`] and exits with 0, or with 2 where the background process ended before.
///
/// To be called before any thread is started.
///
/// # Errors
/// The system refuses.
pub fn detach() -> std::io::Result<Waiting> {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: both descriptors were just made and belong to nobody else.
    let (reader, writer) =
        unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
    // SAFETY: no other thread exists, so the child's memory is whole.
    match unsafe { libc::fork() } {
        -1 => return Err(std::io::Error::last_os_error()),
        0 => {}
        _ => {
            drop(writer);
            let mut told = [0];
            let ready = File::from(reader).read_exact(&mut told).is_ok();
            std::process::exit(if ready { 0 } else { 2 });
        }
    }
    drop(reader);
    // SAFETY: plain calls; the second fork gives up the session so that no terminal is ever ours.
    unsafe {
        if libc::setsid() == -1 {
            return Err(std::io::Error::last_os_error());
        }
        match libc::fork() {
            -1 => return Err(std::io::Error::last_os_error()),
            0 => {}
            _ => libc::_exit(0),
        }
    }
    Ok(Waiting(File::from(writer)))
}

/// Points the standard streams at `/dev/null`; with `keep_errors` standard error stays.
///
/// # Errors
/// `/dev/null` cannot be opened.
pub fn close_streams(keep_errors: bool) -> std::io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    for stream in 0..if keep_errors { 2 } else { 3 } {
        // SAFETY: both are open descriptors.
        if unsafe { libc::dup2(null.as_raw_fd(), stream) } == -1 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Becomes `user` and `group`, each a name or a number, as far as given.
///
/// # Errors
/// No such name, or no right to change.
pub fn change_user(user: Option<&str>, group: Option<&str>) -> Result<(), String> {
    let refused = |what: &str| format!("cannot become {what}: {}", std::io::Error::last_os_error());
    let user = user.map(find_user).transpose()?;
    let group = match group {
        Some(group) => Some(find_group(group)?),
        None => user.map(|(_, group)| group),
    };
    if let Some(group) = group {
        // SAFETY: the list has one element.
        let set = unsafe { libc::setgroups(1, &group) == 0 && libc::setgid(group) == 0 };
        if !set {
            return Err(refused("that group"));
        }
    }
    if let Some((user, _)) = user {
        // SAFETY: a plain call.
        if unsafe { libc::setuid(user) } != 0 {
            return Err(refused("that user"));
        }
    }
    Ok(())
}

fn find_user(name: &str) -> Result<(libc::uid_t, libc::gid_t), String> {
    let text = CString::new(name).map_err(|_| format!("user `{name}` is no name"))?;
    // SAFETY: the text ends in NUL; no other thread runs that could change the answer's memory.
    match unsafe { libc::getpwnam(text.as_ptr()).as_ref() } {
        Some(entry) => Ok((entry.pw_uid, entry.pw_gid)),
        None => match name.parse() {
            Ok(number) => Ok((number, number)),
            Err(_) => Err(format!("there is no user `{name}`")),
        },
    }
}

fn find_group(name: &str) -> Result<libc::gid_t, String> {
    let text = CString::new(name).map_err(|_| format!("group `{name}` is no name"))?;
    // SAFETY: as in `find_user`.
    match unsafe { libc::getgrnam(text.as_ptr()).as_ref() } {
        Some(entry) => Ok(entry.gr_gid),
        None => name
            .parse()
            .map_err(|_| format!("there is no group `{name}`")),
    }
}
