//! Flags of the message, of its first branch and of the script run.

use super::{Refused, written};
use crate::run::Run;
use crate::value::{Val, Value};

/// Eight hexadecimal digits.
fn hex(run: &mut Run, flags: u32) -> Val {
    written::<8>(run, format_args!("{flags:08x}"))
}

/// All flags at once: the low 32 bits of an integer; null clears them.
fn all(value: Value<'_>) -> Result<u32, Refused> {
    match value {
        Value::Int(n) => Ok(n as u32),
        Value::Null => Ok(0),
        Value::Str(_) => Err(Refused::NotNumber),
    }
}

/// `flags` with flag `n` as the value says: set where it is an integer other than 0.
fn one(flags: u32, n: u8, value: Value<'_>) -> Result<u32, Refused> {
    let bit = 1u32 << (n & 31);
    match value {
        Value::Int(0) | Value::Null => Ok(flags & !bit),
        Value::Int(_) => Ok(flags | bit),
        Value::Str(_) => Err(Refused::NotNumber),
    }
}

fn is_set(flags: u32, n: u8) -> i64 {
    i64::from(flags >> (n & 31) & 1)
}

/// Variables of flags.
#[kcc_macros::part(module = "pv")]
pub mod exports {
    use crate::declare::Flag;
    use crate::run::Run;
    use crate::value::{Val, Value};
    use crate::variables::Refused;

    use super::{all, hex, is_set, one};

    /// The message's flags as a mask; an integer to assign.
    ///
    /// ```cfg
    /// $mf = $mf | 4;
    /// ```
    #[pv(name = "mf")]
    fn message(run: &mut Run) -> i64 {
        i64::from(run.head.message_flags)
    }

    #[pv_write("mf")]
    fn set_message(run: &mut Run, value: Value) -> Result<(), Refused> {
        run.head.message_flags = all(value)?;
        Ok(())
    }

    /// The message's flags as eight hexadecimal digits; in arithmetic the mask.
    #[pv(name = "mF")]
    fn message_hex(run: &mut Run) -> Val {
        hex(run, run.head.message_flags)
    }

    #[pv_int("mF")]
    fn message_mask(run: &mut Run) -> i64 {
        i64::from(run.head.message_flags)
    }

    #[pv_write("mF")]
    fn set_message_mask(run: &mut Run, value: Value) -> Result<(), Refused> {
        run.head.message_flags = all(value)?;
        Ok(())
    }

    /// The branch flags of the first branch as a mask; an integer to assign.
    #[pv(name = "bf")]
    fn branch(run: &mut Run) -> i64 {
        i64::from(run.target.flags)
    }

    #[pv_write("bf")]
    fn set_branch(run: &mut Run, value: Value) -> Result<(), Refused> {
        run.target.flags = all(value)?;
        Ok(())
    }

    /// The branch flags of the first branch as eight hexadecimal digits; in arithmetic the mask.
    #[pv(name = "bF")]
    fn branch_hex(run: &mut Run) -> Val {
        hex(run, run.target.flags)
    }

    #[pv_int("bF")]
    fn branch_mask(run: &mut Run) -> i64 {
        i64::from(run.target.flags)
    }

    #[pv_write("bF")]
    fn set_branch_mask(run: &mut Run, value: Value) -> Result<(), Refused> {
        run.target.flags = all(value)?;
        Ok(())
    }

    /// The script flags as a mask; an integer to assign. They are cleared for each message.
    #[pv(name = "sf")]
    fn script(run: &mut Run) -> i64 {
        i64::from(run.head.script_flags)
    }

    #[pv_write("sf")]
    fn set_script(run: &mut Run, value: Value) -> Result<(), Refused> {
        run.head.script_flags = all(value)?;
        Ok(())
    }

    /// The script flags as eight hexadecimal digits; in arithmetic the mask.
    #[pv(name = "sF")]
    fn script_hex(run: &mut Run) -> Val {
        hex(run, run.head.script_flags)
    }

    #[pv_int("sF")]
    fn script_mask(run: &mut Run) -> i64 {
        i64::from(run.head.script_flags)
    }

    #[pv_write("sF")]
    fn set_script_mask(run: &mut Run, value: Value) -> Result<(), Refused> {
        run.head.script_flags = all(value)?;
        Ok(())
    }

    /// One message flag by number (0 to 31) or name: 1 where it is set. Assigning an integer sets or
    /// clears it.
    ///
    /// ```cfg
    /// $Mf(3) = 1;
    /// ```
    #[pv(name = "Mf")]
    fn one_of_message(run: &mut Run, flag: Flag) -> i64 {
        is_set(run.head.message_flags, flag.0)
    }

    #[pv_write("Mf")]
    fn set_one_of_message(run: &mut Run, flag: Flag, value: Value) -> Result<(), Refused> {
        run.head.message_flags = one(run.head.message_flags, flag.0, value)?;
        Ok(())
    }

    /// One branch flag of the first branch by number (0 to 31) or name: 1 where it is set.
    #[pv(name = "Bf")]
    fn one_of_branch(run: &mut Run, flag: Flag) -> i64 {
        is_set(run.target.flags, flag.0)
    }

    #[pv_write("Bf")]
    fn set_one_of_branch(run: &mut Run, flag: Flag, value: Value) -> Result<(), Refused> {
        run.target.flags = one(run.target.flags, flag.0, value)?;
        Ok(())
    }

    /// One script flag by number (0 to 31) or name: 1 where it is set.
    #[pv(name = "Sf")]
    fn one_of_script(run: &mut Run, flag: Flag) -> i64 {
        is_set(run.head.script_flags, flag.0)
    }

    #[pv_write("Sf")]
    fn set_one_of_script(run: &mut Run, flag: Flag, value: Value) -> Result<(), Refused> {
        run.head.script_flags = one(run.head.script_flags, flag.0, value)?;
        Ok(())
    }
}
