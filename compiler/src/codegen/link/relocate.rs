//! Applies relocations to the image, and lists those that wait for the load address.

use kcc_runtime::image;

use super::LinkError;
use super::input::{Input, InputRelocation, Use};
use super::layout::Layout;
use super::plan::Plan;
use super::x86_64::{self, Relocation};

/// Relocates what is in the image, writes the stubs, and returns what the loader has to do.
pub(super) fn relocate(
    image: &mut [u8],
    input: &Input,
    plan: &Plan,
    layout: &Layout,
) -> Result<Vec<image::Relocation>, LinkError> {
    let mut waiting = Vec::with_capacity(plan.relocations);
    for (index, section) in input.sections.iter().enumerate() {
        let Some(start) = layout.place(index) else {
            continue;
        };
        for relocation in &section.relocations {
            let out_of_range = || LinkError::Range {
                section: section.name.to_owned(),
                offset: relocation.offset,
            };
            let place = start + relocation.offset;
            let target = match relocation.kind {
                Relocation::Address64 => {
                    let found = address(relocation, place, input, plan, layout);
                    waiting.push(found.ok_or_else(out_of_range)?);
                    continue;
                }
                // Not in sections that have a place: `Relocation::allowed`.
                Relocation::Address32 => continue,
                Relocation::Slot32 => plan.slot(relocation.symbol).map(|slot| layout.slot(slot)),
                Relocation::Relative32 => match input.symbol(relocation.symbol).place {
                    Some(to) => layout.offset(to),
                    None => plan.stub(relocation.symbol).map(|stub| layout.stub(stub)),
                },
            };
            let value = target
                .and_then(|target| {
                    let distance = target.wrapping_sub(place) as i64;
                    i32::try_from(distance.checked_add(relocation.addend)?).ok()
                })
                .ok_or_else(out_of_range)?;
            store(image, place, &value.to_le_bytes()).ok_or_else(out_of_range)?;
        }
    }
    for (index, &symbol) in plan.stubs.iter().enumerate() {
        let place = layout.stub(index);
        let distance = plan
            .slot(symbol)
            .and_then(|slot| i32::try_from(layout.slot(slot).wrapping_sub(place) as i64).ok())
            .ok_or(LinkError::TooLarge("code"))?;
        store(image, place, &x86_64::stub(distance)).ok_or(LinkError::TooLarge("code"))?;
    }
    for &symbol in &plan.slotted {
        let slot = plan.slot(symbol).map(|slot| layout.slot(slot));
        let target = input.symbol(symbol).place.and_then(|to| layout.offset(to));
        let (Some(slot), Some(target)) = (slot, target) else {
            return Err(LinkError::TooLarge("slots"));
        };
        waiting.push(image::Relocation {
            offset: layout.header_distance(slot),
            import: None,
            addend: layout.header_distance(target),
        });
    }
    debug_assert_eq!(waiting.len(), plan.relocations);
    Ok(waiting)
}

fn address(
    relocation: &InputRelocation,
    place: u64,
    input: &Input,
    plan: &Plan,
    layout: &Layout,
) -> Option<image::Relocation> {
    let (import, from) = match input.symbol(relocation.symbol).place {
        Some(to) => (None, layout.header_distance(layout.offset(to)?)),
        None => (Some(plan.slot(relocation.symbol)? as u32), 0),
    };
    Some(image::Relocation {
        offset: layout.header_distance(place),
        import,
        addend: from.checked_add(relocation.addend)?,
    })
}

/// Relocates a debugging section: `bases` are the places of the object's debugging sections in
/// the merged ones, by section index.
pub(super) fn relocate_debug(
    bytes: &mut [u8],
    index: usize,
    input: &Input,
    layout: &Layout,
    bases: &[u64],
) -> Result<(), LinkError> {
    let section = &input.sections[index];
    for relocation in &section.relocations {
        let out_of_range = || LinkError::Range {
            section: section.name.to_owned(),
            offset: relocation.offset,
        };
        let value = input
            .symbol(relocation.symbol)
            .place
            .and_then(|to| match input.sections.get(to.section)?.usage {
                Use::Debug => bases.get(to.section)?.checked_add(to.offset),
                _ => Some(layout.address(layout.offset(to)?)),
            })
            .and_then(|value| value.checked_add_signed(relocation.addend))
            .ok_or_else(out_of_range)?;
        match relocation.kind {
            Relocation::Address64 => store(bytes, relocation.offset, &value.to_le_bytes()),
            _ => u32::try_from(value)
                .ok()
                .and_then(|value| store(bytes, relocation.offset, &value.to_le_bytes())),
        }
        .ok_or_else(out_of_range)?;
    }
    Ok(())
}

/// Overwrites bytes; `None`: outside.
pub(super) fn store(bytes: &mut [u8], offset: u64, value: &[u8]) -> Option<()> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(value.len())?;
    bytes.get_mut(start..end)?.copy_from_slice(value);
    Some(())
}
