//! What a string is as a number: length, value, hash, time.

/// Core hash of Kamailio, over four bytes at a time.
fn core_hash(text: &[u8]) -> u32 {
    let wide = |byte: u8| byte as i8 as u32;
    let step = |hash: u32, word: u32| hash.wrapping_add(word ^ (word >> 3));
    let mut words = text.chunks_exact(4);
    let mut hash = 0u32;
    for word in &mut words {
        let sum = word
            .iter()
            .zip([24, 16, 8, 0])
            .fold(0u32, |sum, (byte, shift)| {
                sum.wrapping_add(wide(*byte) << shift)
            });
        hash = step(hash, sum);
    }
    let rest = words.remainder().iter();
    hash = step(
        hash,
        rest.fold(0, |sum, byte| (sum << 8).wrapping_add(wide(*byte))),
    );
    let low = hash.wrapping_add(hash >> 11);
    low.wrapping_add((hash >> 13).wrapping_add(hash >> 23))
}

/// CRC-32 of IEEE 802.3.
fn crc32(text: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !text.iter().fold(u32::MAX, step)
}

/// The class `s`: numbers.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::{Raw, Text};
    use crate::run::Run;
    use crate::shim::Failed;
    use crate::transform::Number;
    use crate::value::{Val, parse_int};
    use crate::variables::calendar;

    /// Length in bytes.
    #[transformation("s.len")]
    fn len(_run: &mut Run, input: Text) -> i64 {
        input.len() as i64
    }

    /// The integer that the whole text is: an optional sign and digits; "" is 0. Other text is an
    /// error.
    #[transformation("s.int")]
    fn int(_run: &mut Run, input: Text) -> Result<i64, Failed> {
        match input {
            [b'0', b'x' | b'X', ..] => Err(Failed),
            text => parse_int(text).ok_or(Failed),
        }
    }

    /// The integer of the value; text is read as in `s.int`.
    #[transformation("s.intv")]
    fn intv(run: &mut Run, input: Text) -> Result<i64, Failed> {
        int(run, input)
    }

    /// How often the first character of `character` occurs.
    #[transformation("s.count")]
    fn count(
        _run: &mut Run,
        input: Text,
        character: crate::transform::Parameter,
    ) -> Result<i64, Failed> {
        let Some(first) = character.first()? else {
            return Ok(0);
        };
        Ok(input.iter().filter(|byte| **byte == first).count() as i64)
    }

    /// Kamailio's core hash in decimal; with `size`, a power of two, below it.
    #[transformation("s.corehash")]
    fn corehash(run: &mut Run, input: Text, size: Option<Number>) -> Result<Val, Failed> {
        let mut hash = super::core_hash(input);
        let size = size.map_or(Ok(0), Number::get)? as u32;
        if size > 0 {
            hash &= size - 1;
        }
        Ok(crate::variables::written::<12>(run, format_args!("{hash}")))
    }

    /// The CRC-32 checksum (IEEE 802.3).
    #[transformation("s.crc32")]
    fn crc32(_run: &mut Run, input: Text) -> i64 {
        i64::from(super::crc32(input))
    }

    /// The text as seconds since 1970, in local time as `format` says (strftime).
    ///
    /// ```cfg
    /// $var(today) = $(TS{s.ftime,%Y-%m-%d});
    /// ```
    #[transformation("s.ftime")]
    fn ftime(run: &mut Run, input: Text, format: Raw) -> Result<Val, Failed> {
        let seconds = int(run, input)?;
        let moment = calendar::Moment::local(seconds).ok_or(Failed)?;
        let mut space = [0; calendar::LONGEST];
        let text = moment.format(format.0, &mut space).ok_or(Failed)?;
        Ok(run.text(text))
    }
}
