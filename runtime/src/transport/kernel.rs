//! System calls that neither std nor socket2 wrap: batches of datagrams, and the spreading of
//! datagrams over the workers' sockets. All `unsafe` of the datagram path is here.
//!
//! Invariant: every pointer given to the kernel points into memory that the structure owns and
//! is set anew for each call, so the structures may be moved.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::rc::Rc;
use std::{mem, ptr};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Datagrams received by one call at most.
pub(super) const RECEIVE_BATCH: usize = 32;
/// Datagrams sent by one call at most.
pub(super) const SEND_BATCH: usize = 64;
/// Room for the largest datagram.
const SLOT: usize = 1 << 16;
/// Distance of slots: not a power of two, so that their beginnings do not share cache sets.
const STRIDE: usize = SLOT + 576;

/// Fixed room for one batch of received datagrams. Pages that no datagram reached stay
/// untouched.
pub(super) struct ReceiveSlab {
    bytes: Box<[u8]>,
    names: Box<[libc::sockaddr_storage]>,
    lengths: [usize; RECEIVE_BATCH],
}

impl ReceiveSlab {
    pub(super) fn new() -> Self {
        ReceiveSlab {
            bytes: vec![0; RECEIVE_BATCH * STRIDE].into_boxed_slice(),
            names: vec![empty_name(); RECEIVE_BATCH].into_boxed_slice(),
            lengths: [0; RECEIVE_BATCH],
        }
    }

    /// Receives what waits on `socket`, a batch at most, without blocking.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        let mut vectors = [const { NO_VECTOR }; RECEIVE_BATCH];
        let mut headers = [const { NO_HEADER }; RECEIVE_BATCH];
        let slots = self.bytes.chunks_exact_mut(STRIDE);
        for (((slot, name), vector), header) in slots
            .zip(self.names.iter_mut())
            .zip(&mut vectors)
            .zip(&mut headers)
        {
            vector.iov_base = slot.as_mut_ptr().cast();
            vector.iov_len = SLOT;
            header.msg_hdr.msg_name = ptr::from_mut(name).cast();
            header.msg_hdr.msg_namelen = NAME_LENGTH;
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: the RECEIVE_BATCH headers point to vectors, slots and names that live until
        // the call returns, none shared; their lengths are those of the memory behind them.
        let n = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                RECEIVE_BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
        for (length, header) in self.lengths.iter_mut().zip(headers.iter().take(n)) {
            *length = (header.msg_len as usize).min(SLOT);
        }
        Ok(n)
    }

    /// Datagram `index` of the last batch and its sender; `None` for a sender that is not IP.
    pub(super) fn datagram(&self, index: usize) -> Option<(&[u8], SocketAddr)> {
        let start = index.checked_mul(STRIDE)?;
        let length = *self.lengths.get(index)?;
        let bytes = self.bytes.get(start..start + length)?;
        Some((bytes, decode(self.names.get(index)?)?))
    }
}

/// Sends `datagrams`, `MOST` at most, without blocking. The answer is how many the kernel took from
/// the front; an error speaks of the first.
pub(super) fn send_batch<'a, const MOST: usize>(
    socket: BorrowedFd<'_>,
    datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>,
) -> io::Result<usize> {
    let mut names = [const { NO_ADDRESS }; MOST];
    let mut vectors = [const { NO_VECTOR }; MOST];
    let mut headers = [const { NO_HEADER }; MOST];
    let mut count = 0;
    for ((((to, bytes), name), vector), header) in datagrams
        .zip(&mut names)
        .zip(&mut vectors)
        .zip(&mut headers)
    {
        vector.iov_base = bytes.as_ptr().cast_mut().cast();
        vector.iov_len = bytes.len();
        header.msg_hdr.msg_namelen = encode(to, name);
        header.msg_hdr.msg_name = ptr::from_mut(name).cast();
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    // SAFETY: the first `count` headers, no more than `MOST`, point to vectors and names that live until the call
    // returns; the kernel only reads through the vectors, whose bytes are borrowed for 'a.
    let n = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count,
            (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
        )
    };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// `socket` as something a task can wait for.
pub(super) fn watch(socket: Rc<UdpSocket>, interest: Interest) -> io::Result<Watched> {
    // SAFETY: an `Rc<UdpSocket>` always answers with the descriptor of the one socket that it
    // keeps open, and no code can exchange the socket behind a shared reference.
    let watched = unsafe { AsyncFd::register_with_interest(socket, interest) };
    watched.map_err(io::Error::from)
}

/// A socket with its registration.
pub(super) type Watched = AsyncFd<Rc<UdpSocket>>;

/// Makes the kernel give each datagram to one of the `count` sockets of the group that
/// `socket` is in, at random: the default, a hash of the addresses, would give all of one
/// peer to one worker.
pub(super) fn spread(socket: BorrowedFd<'_>, count: u32) -> io::Result<()> {
    const RANDOM: u32 = 56; // SKF_AD_RANDOM of linux/filter.h
    const ANCILLARY: u32 = -0x1000_i32 as u32; // SKF_AD_OFF
    let instruction = |code: u32, k: u32| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    let mut program = [
        instruction(
            libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
            ANCILLARY.wrapping_add(RANDOM),
        ),
        instruction(libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K, count.max(1)),
        instruction(libc::BPF_RET | 0x10, 0), // BPF_A
    ];
    let filter = libc::sock_fprog {
        len: 3,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` and the three instructions that it points to live until the call
    // returns; the kernel copies them.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_REUSEPORT_CBPF,
            ptr::from_ref(&filter).cast(),
            mem::size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Room for an address of either family.
type Address = libc::sockaddr_in6;

// SAFETY: all-zero bytes are a valid `sockaddr_in6`, of family AF_UNSPEC.
const NO_ADDRESS: Address = unsafe { mem::zeroed() };

const NAME_LENGTH: libc::socklen_t = mem::size_of::<libc::sockaddr_storage>() as _;
const NO_VECTOR: libc::iovec = libc::iovec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};
// SAFETY: all-zero bytes are a valid `mmsghdr`: null pointers with zero lengths.
const NO_HEADER: libc::mmsghdr = unsafe { mem::zeroed() };

const fn empty_name() -> libc::sockaddr_storage {
    // SAFETY: all-zero bytes are a valid `sockaddr_storage`, of family AF_UNSPEC.
    unsafe { mem::zeroed() }
}

/// The IP address and port in `name`.
pub(super) fn decode(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let name = ptr::from_ref(name);
    // SAFETY: `sockaddr_storage` is at least as large and as aligned as every other form of
    // address, all its bytes are initialised, and the forms read here hold plain integers.
    unsafe {
        match i32::from((*name).ss_family) {
            libc::AF_INET => {
                let v4 = &*name.cast::<libc::sockaddr_in>();
                let address = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
                Some(SocketAddrV4::new(address, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                let v6 = &*name.cast::<libc::sockaddr_in6>();
                let address = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Some(SocketAddrV6::new(address, port, 0, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

fn encode(address: SocketAddr, name: &mut Address) -> libc::socklen_t {
    let name = ptr::from_mut(name);
    // SAFETY: `sockaddr_in6` is as large and as aligned as both forms that are written, and they
    // hold plain integers.
    unsafe {
        match address {
            SocketAddr::V4(v4) => {
                let out = &mut *name.cast::<libc::sockaddr_in>();
                out.sin_family = libc::AF_INET as libc::sa_family_t;
                out.sin_port = v4.port().to_be();
                out.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
                mem::size_of::<libc::sockaddr_in>() as libc::socklen_t
            }
            SocketAddr::V6(v6) => {
                let out = &mut *name.cast::<libc::sockaddr_in6>();
                out.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                out.sin6_port = v6.port().to_be();
                out.sin6_addr.s6_addr = v6.ip().octets();
                out.sin6_scope_id = v6.scope_id();
                mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t
            }
        }
    }
}
