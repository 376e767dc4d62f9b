//! Parameters that a configuration declares for itself (`group.name = value`), with instances of
//! their groups (`group[2].name = value`), and the parameters of the core in the same form.
//!
//! **Invariant:** a value is replaced as a whole, by any thread; a reader takes no lock. The type of
//! a parameter, text or integer, never changes.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::program::{Manifest, Setting};
use crate::run::{Local, Run};
use crate::settings::Settings;
use crate::value::{Val, Value, parse_int};

/// All of them; a parameter's number is its place.
#[derive(Debug, Default)]
pub struct Custom {
    groups: Vec<Group>,
    parameters: Vec<Parameter>,
}

#[derive(Debug)]
struct Group {
    name: String,
    /// Numbers of its instances.
    instances: Vec<i64>,
}

#[derive(Debug)]
struct Parameter {
    group: usize,
    name: String,
    /// The value, and those of instances.
    value: ArcSwap<Setting>,
    instances: Vec<(i64, ArcSwap<Setting>)>,
}

/// Why a parameter does not take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Text that is no integer.
    #[error("the parameter takes an integer")]
    NotNumber,
    /// It has always a value.
    #[error("the parameter cannot be null")]
    Null,
    /// A number that no parameter has, or no such instance.
    #[error("there is no such parameter")]
    Unknown,
    /// The core does not look at it again.
    #[error("the parameter cannot be changed while the server runs")]
    Fixed,
}

/// The group of the core's own parameters.
const CORE: &str = "core";

/// `group`, instance and `name` of `group.name` or `group[2].name`.
pub fn taken_apart(written: &str) -> Option<(&str, Option<i64>, &str)> {
    let (group, name) = written.rsplit_once('.')?;
    match group.split_once('[') {
        None => Some((group, None, name)),
        Some((group, number)) => {
            let number = number.strip_suffix(']')?.parse().ok()?;
            Some((group, Some(number), name))
        }
    }
}

impl Custom {
    /// The parameters of `manifest`, those of the core first. The compiler makes it of the same
    /// manifest, so numbers agree.
    pub fn new(manifest: &Manifest) -> Custom {
        let settings = Settings::new(manifest);
        let mut custom = Custom::default();
        for (name, value) in [
            ("debug", settings.debug),
            ("force_rport", i64::from(settings.force_rport)),
            ("max_while_loops", settings.max_while_loops),
        ] {
            custom.declare(CORE, name, &Setting::Int(value));
        }
        let own = || {
            let all = manifest.globals.iter();
            all.filter_map(|(name, value)| Some((taken_apart(name)?, value)))
        };
        for ((group, instance, name), value) in own() {
            if instance.is_none() {
                custom.declare(group, name, value);
            }
        }
        for ((group, instance, name), value) in own() {
            if let Some(instance) = instance {
                custom.declare_instance(group, instance, name, value);
            }
        }
        custom
    }

    fn declare(&mut self, group: &str, name: &str, value: &Setting) {
        let group = match self.groups.iter().position(|other| other.name == group) {
            Some(number) => number,
            None => {
                self.groups.push(Group {
                    name: group.to_owned(),
                    instances: Vec::new(),
                });
                self.groups.len() - 1
            }
        };
        self.parameters.push(Parameter {
            group,
            name: name.to_owned(),
            value: ArcSwap::from_pointee(value.clone()),
            instances: Vec::new(),
        });
    }

    fn declare_instance(&mut self, group: &str, instance: i64, name: &str, value: &Setting) {
        let Some(number) = self.find(group, name) else {
            return;
        };
        let Some(parameter) = self.parameters.get_mut(number as usize) else {
            return;
        };
        let Ok(value) = fitting(&parameter.value.load(), borrowed(value)) else {
            return;
        };
        let value = ArcSwap::from_pointee(value);
        match parameter.instances.iter_mut().find(|(n, _)| *n == instance) {
            Some((_, old)) => *old = value,
            None => parameter.instances.push((instance, value)),
        }
        if let Some(group) = self.groups.get_mut(parameter.group)
            && !group.instances.contains(&instance)
        {
            group.instances.push(instance);
        }
    }

    /// The number of a parameter.
    pub fn find(&self, group: &str, name: &str) -> Option<u32> {
        let group = self.group(group)? as usize;
        let mut all = self.parameters.iter();
        let found = all.position(|other| other.group == group && other.name == name)?;
        u32::try_from(found).ok()
    }

    /// The number of a group.
    pub fn group(&self, name: &str) -> Option<u32> {
        let found = self.groups.iter().position(|group| group.name == name)?;
        u32::try_from(found).ok()
    }

    /// Group, name and value of all parameters.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, Arc<Setting>)> {
        self.parameters.iter().map(|parameter| {
            let group = self.groups.get(parameter.group);
            let group = group.map_or("", |group| &*group.name);
            (group, &*parameter.name, parameter.value.load_full())
        })
    }

    /// The number of a parameter's group.
    pub fn group_of(&self, parameter: i64) -> Option<i64> {
        let parameter = self.parameters.get(usize::try_from(parameter).ok()?)?;
        i64::try_from(parameter.group).ok()
    }

    /// Whether the group has this instance.
    pub fn has_instance(&self, group: i64, instance: i64) -> bool {
        let group = usize::try_from(group).ok().and_then(|n| self.groups.get(n));
        group.is_some_and(|group| group.instances.contains(&instance))
    }

    /// Where the value of a parameter is kept; an instance that does not give one has the group's.
    fn cell(&self, parameter: i64, instance: Option<i64>) -> Option<&ArcSwap<Setting>> {
        let parameter = self.parameters.get(usize::try_from(parameter).ok()?)?;
        let own = instance.and_then(|instance| {
            let mut all = parameter.instances.iter();
            all.find(|(other, _)| *other == instance)
        });
        Some(own.map_or(&parameter.value, |(_, value)| value))
    }

    /// Changes a parameter for all workers, from now on. Text becomes an integer, or an integer
    /// text, where the parameter is one.
    ///
    /// # Errors
    /// There is no such parameter, or the value does not fit.
    pub fn set(
        &self,
        parameter: i64,
        instance: Option<i64>,
        value: Value<'_>,
    ) -> Result<(), Refused> {
        let cell = self.cell(parameter, instance).ok_or(Refused::Unknown)?;
        if self.group_of(parameter) == self.group(CORE).map(i64::from) {
            return Err(Refused::Fixed);
        }
        let value = fitting(&cell.load(), value)?;
        cell.store(Arc::new(value));
        Ok(())
    }
}

fn borrowed(setting: &Setting) -> Value<'_> {
    match setting {
        Setting::Int(n) => Value::Int(*n),
        Setting::Str(text) => Value::Str(text),
    }
}

/// `value` in the type of `old`.
///
/// # Errors
/// It cannot be.
pub fn fitting(old: &Setting, value: Value<'_>) -> Result<Setting, Refused> {
    match (old, value) {
        (_, Value::Null) => Err(Refused::Null),
        (Setting::Int(_), Value::Int(n)) => Ok(Setting::Int(n)),
        (Setting::Int(_), Value::Str(text)) => {
            parse_int(text).map(Setting::Int).ok_or(Refused::NotNumber)
        }
        (Setting::Str(_), Value::Str(text)) => Ok(Setting::Str(text.to_vec())),
        (Setting::Str(_), Value::Int(n)) => Ok(Setting::Str(n.to_string().into_bytes())),
    }
}

/// The value of a parameter for this message: of the instance that is asked for, else of the one
/// that was selected.
pub fn read(run: &mut Run, parameter: i64, instance: Option<i64>) -> Option<Val> {
    let instance = instance.or_else(|| {
        let group = run.program.custom.group_of(parameter)?;
        run.locals.peek::<Selected>()?.of(group)
    });
    let value = run.program.custom.cell(parameter, instance)?.load();
    Some(match &**value {
        Setting::Int(n) => Val::int(*n),
        Setting::Str(text) => run.scratch.copy(text),
    })
}

/// The instances that `cfg_select()` chose for this message, by the number of their group.
#[derive(Debug, Default)]
pub struct Selected(Vec<(i64, i64)>);

impl Local for Selected {
    fn reset(&mut self) {
        self.0.clear();
    }
}

impl Selected {
    /// The instance of a group, if one was chosen.
    pub fn of(&self, group: i64) -> Option<i64> {
        let chosen = self.0.iter().find(|(other, _)| *other == group);
        chosen.map(|(_, instance)| *instance)
    }

    /// Chooses an instance, or none.
    pub fn choose(&mut self, group: i64, instance: Option<i64>) {
        self.0.retain(|(other, _)| *other != group);
        self.0.extend(instance.map(|instance| (group, instance)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom() -> Custom {
        let text = |text: &str| Setting::Str(text.as_bytes().to_vec());
        Custom::new(&Manifest {
            globals: vec![
                ("debug".into(), Setting::Int(3)),
                ("g[2].n".into(), text("22")),
                ("g.n".into(), Setting::Int(5)),
                ("g.s".into(), text("five")),
                ("g[3].s".into(), Setting::Int(7)),
            ],
            ..Manifest::default()
        })
    }

    fn value(custom: &Custom, name: &str, instance: Option<i64>) -> Setting {
        let number = custom.find("g", name).unwrap();
        Setting::clone(&custom.cell(number.into(), instance).unwrap().load())
    }

    #[test]
    fn an_instance_has_its_own_values_and_else_those_of_the_group() {
        let custom = custom();
        assert_eq!(value(&custom, "n", None), Setting::Int(5));
        assert_eq!(value(&custom, "n", Some(2)), Setting::Int(22));
        assert_eq!(value(&custom, "n", Some(3)), Setting::Int(5));
        assert_eq!(value(&custom, "s", Some(3)), Setting::Str(b"7".to_vec()));
        let group = i64::from(custom.group("g").unwrap());
        assert!(custom.has_instance(group, 3) && !custom.has_instance(group, 4));
        assert!(custom.find("core", "debug").is_some());
        assert!(custom.find("g", "x").is_none() && custom.find("h", "n").is_none());
    }

    #[test]
    fn a_value_that_is_set_keeps_its_type() {
        let custom = custom();
        let number = i64::from(custom.find("g", "n").unwrap());
        assert_eq!(custom.set(number, None, Value::Str(b"12")), Ok(()));
        assert_eq!(value(&custom, "n", None), Setting::Int(12));
        assert_eq!(
            custom.set(number, Some(2), Value::Str(b"12x")),
            Err(Refused::NotNumber)
        );
        assert_eq!(custom.set(number, None, Value::Null), Err(Refused::Null));
        let debug = custom.find("core", "debug").unwrap().into();
        assert_eq!(custom.set(debug, None, Value::Int(1)), Err(Refused::Fixed));
        assert_eq!(custom.set(99, None, Value::Int(1)), Err(Refused::Unknown));
    }
}
