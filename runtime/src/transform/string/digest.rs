//! Digests of a string, as lower-case hexadecimal digits.

use md5::Digest;

use crate::run::Run;
use crate::transform::output;
use crate::value::Val;

/// The digest of `input` in hexadecimal.
fn hex<D: Digest>(run: &mut Run, input: &[u8]) -> Val {
    let digest = D::digest(input);
    output(run, digest.len() * 2, |out| {
        digest.iter().for_each(|byte| out.hex(*byte))
    })
}

/// The class `s`: digests.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Text;
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::Parameter;
    use crate::value::Val;

    use super::hex;

    /// The MD5 digest (RFC 1321).
    ///
    /// ```cfg
    /// $var(key) = $(ci{s.md5});
    /// ```
    #[transformation("s.md5")]
    fn md5(run: &mut Run, input: Text) -> Val {
        hex::<md5::Md5>(run, input)
    }

    /// The SHA-1 digest (RFC 3174).
    #[transformation("s.sha1")]
    fn sha1(run: &mut Run, input: Text) -> Val {
        hex::<sha1::Sha1>(run, input)
    }

    /// The SHA-256 digest (RFC 6234).
    #[transformation("s.sha256")]
    fn sha256(run: &mut Run, input: Text) -> Val {
        hex::<sha2::Sha256>(run, input)
    }

    /// The SHA-384 digest (RFC 6234).
    #[transformation("s.sha384")]
    fn sha384(run: &mut Run, input: Text) -> Val {
        hex::<sha2::Sha384>(run, input)
    }

    /// The SHA-512 digest (RFC 6234).
    #[transformation("s.sha512")]
    fn sha512(run: &mut Run, input: Text) -> Val {
        hex::<sha2::Sha512>(run, input)
    }

    /// The SHA-3 digest (FIPS 202) of 224, 256, 384 or 512 bits, by default 256.
    #[transformation("s.sha3")]
    fn sha3(run: &mut Run, input: Text, bits: Option<Parameter>) -> Result<Val, Failed> {
        Ok(match width(bits)? {
            224 => hex::<sha3::Sha3_224>(run, input),
            256 => hex::<sha3::Sha3_256>(run, input),
            384 => hex::<sha3::Sha3_384>(run, input),
            512 => hex::<sha3::Sha3_512>(run, input),
            _ => return Err(Failed),
        })
    }

    /// The Keccak digest, SHA-3 before it was a standard, of 224, 256, 384 or 512 bits, by default
    /// 256.
    #[transformation("s.keccak")]
    fn keccak(run: &mut Run, input: Text, bits: Option<Parameter>) -> Result<Val, Failed> {
        Ok(match width(bits)? {
            224 => hex::<keccak_digest::Keccak224>(run, input),
            256 => hex::<keccak_digest::Keccak256>(run, input),
            384 => hex::<keccak_digest::Keccak384>(run, input),
            512 => hex::<keccak_digest::Keccak512>(run, input),
            _ => return Err(Failed),
        })
    }

    use sha3 as keccak_digest;

    fn width(bits: Option<Parameter<'_>>) -> Result<u32, Failed> {
        let Some(bits) = bits else { return Ok(256) };
        kcc_sip::token::parse_u32(kcc_sip::token::trim(&bits.get()?)).ok_or(Failed)
    }
}
