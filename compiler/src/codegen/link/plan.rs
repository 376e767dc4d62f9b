//! What has to be added to the object's sections: import slots, slots of its own symbols, stubs,
//! and load-time relocations.

use std::collections::{HashMap, HashSet};

use object::SymbolIndex;

use super::LinkError;
use super::input::{Input, Use};
use super::x86_64::Relocation;

/// The additions, counted before anything has its place.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// Names of the imported functions; the first slots, in this order, are theirs.
    pub imports: Vec<&'a str>,
    /// Symbols of the object that are reached through a slot; their slots follow the imports'.
    pub slotted: Vec<SymbolIndex>,
    /// Imports that are called directly; one stub each, in this order.
    pub stubs: Vec<SymbolIndex>,
    /// Sections, by index, that hold constants with addresses.
    pub relro: HashSet<usize>,
    /// Number of words that the loader relocates.
    pub relocations: usize,
    slots: HashMap<SymbolIndex, usize>,
    stub_of: HashMap<SymbolIndex, usize>,
}

impl<'a> Plan<'a> {
    pub fn new(input: &Input<'a>) -> Result<Plan<'a>, LinkError> {
        let mut plan = Plan::default();
        let mut imports: HashMap<&'a str, usize> = HashMap::new();
        let mut addresses = 0;
        let mut slotted = HashSet::new();
        for (index, section) in input.sections.iter().enumerate() {
            if section.usage == Use::Debug {
                continue;
            }
            for relocation in &section.relocations {
                let symbol = input.symbol(relocation.symbol);
                if symbol.place.is_none() {
                    let next = imports.len();
                    let slot = *imports.entry(symbol.name).or_insert(next);
                    if slot == next {
                        plan.imports.push(symbol.name);
                    }
                    plan.slots.insert(relocation.symbol, slot);
                }
                match relocation.kind {
                    Relocation::Address64 => {
                        addresses += 1;
                        if section.usage != Use::Data {
                            plan.relro.insert(index);
                        }
                    }
                    Relocation::Slot32 => {
                        if symbol.place.is_some() && slotted.insert(relocation.symbol) {
                            plan.slotted.push(relocation.symbol);
                        }
                    }
                    Relocation::Relative32 => {
                        let next = plan.stubs.len();
                        if symbol.place.is_none()
                            && *plan.stub_of.entry(relocation.symbol).or_insert(next) == next
                        {
                            plan.stubs.push(relocation.symbol);
                        }
                    }
                    Relocation::Address32 => {}
                }
            }
        }
        for (index, &symbol) in plan.slotted.iter().enumerate() {
            plan.slots.insert(symbol, plan.imports.len() + index);
        }
        plan.relocations = addresses + plan.slotted.len();
        if u32::try_from(plan.imports.len()).is_err() {
            return Err(LinkError::TooLarge("imports"));
        }
        Ok(plan)
    }

    /// Number of slots.
    pub fn slot_count(&self) -> usize {
        self.imports.len() + self.slotted.len()
    }

    /// The slot of a symbol that has one.
    pub fn slot(&self, symbol: SymbolIndex) -> Option<usize> {
        self.slots.get(&symbol).copied()
    }

    /// The stub of an import that has one.
    pub fn stub(&self, symbol: SymbolIndex) -> Option<usize> {
        self.stub_of.get(&symbol).copied()
    }
}
