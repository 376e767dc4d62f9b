//! The addresses of this machine's network interfaces.

use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ptr;

use super::kernel;

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InterfaceAddress {
    pub(super) interface: String,
    pub(super) address: IpAddr,
}

/// The addresses of all interfaces that are up, in the kernel's order (IPv4 first).
pub(super) fn addresses() -> io::Result<Vec<InterfaceAddress>> {
    let mut first: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: `first` is a place for the pointer that the call writes.
    if unsafe { libc::getifaddrs(&mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: the list is what getifaddrs returned, not freed yet; its elements are linked
        // by `ifa_next` up to a null pointer and are not changed by anyone.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        let up = entry.ifa_flags & libc::IFF_UP as libc::c_uint != 0;
        if !up || entry.ifa_addr.is_null() {
            continue;
        }
        if let Some(address) = address_of(entry.ifa_addr) {
            // SAFETY: getifaddrs gives every entry a name that ends with a zero byte.
            let name = unsafe { CStr::from_ptr(entry.ifa_name) };
            found.push(InterfaceAddress {
                interface: name.to_string_lossy().into_owned(),
                address,
            });
        }
    }
    // SAFETY: `first` comes from getifaddrs and is freed once; nothing points into it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// The IP address behind `name`; `None` for other families.
fn address_of(name: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: all-zero bytes are a valid `sockaddr_storage`.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    // SAFETY: `name` is an address of a getifaddrs entry, checked not to be null; its family
    // says how long it is, and no more is copied into the larger `sockaddr_storage`.
    unsafe {
        let length = match i32::from((*name).sa_family) {
            libc::AF_INET => size_of::<libc::sockaddr_in>(),
            libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
            _ => return None,
        };
        ptr::copy_nonoverlapping(
            name.cast::<u8>(),
            ptr::from_mut(&mut storage).cast::<u8>(),
            length,
        );
    }
    kernel::decode(&storage).as_ref().map(SocketAddr::ip)
}
