//! One history: its steps, and how it ends.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::acts::{ACTS, Act};
use crate::blows::BLOWS;
use crate::chance::Chance;
use crate::laws::Lawful;
use crate::outside::DEEDS;
use crate::world::{Ground, World};
use crate::{quiet, trial};

/// Steps of a history before nothing fails any more.
const STEPS: u64 = 70;
/// Every so manyth step is followed by a trial of the doorbell.
const TRIED: u64 = 5;

/// Which steps of a history are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Steps(pub(crate) Vec<u64>);

impl Steps {
    pub(crate) fn all() -> Self {
        Self((0..STEPS).collect())
    }

    /// Reads numbers and ranges, such as `3,7-9`.
    pub(crate) fn parse(text: &str) -> Self {
        let number = |text: &str| -> u64 { text.trim().parse().expect("the number of a step") };
        let ranges = text.split(',').filter(|range| !range.trim().is_empty());
        Self(
            ranges
                .flat_map(|range| match range.split_once('-') {
                    Some((first, last)) => number(first)..number(last) + 1,
                    None => number(range)..number(range) + 1,
                })
                .collect(),
        )
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for step in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == *step => *last = *step,
                _ => ranges.push((*step, *step)),
            }
        }
        let texts: Vec<String> = ranges
            .iter()
            .map(|(first, last)| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            })
            .collect();
        f.write_str(&texts.join(","))
    }
}

/// A history as it was told.
pub(crate) struct Story {
    pub(crate) lines: Vec<String>,
    /// How a law was broken.
    pub(crate) end: Lawful,
}

/// Tells a history, or those of its steps.
pub(crate) fn tell(ground: &Ground, seed: u64, steps: &Steps) -> Story {
    let mut world = World::new(ground, &mut Chance::new(seed, u64::MAX));
    let told = catch_unwind(AssertUnwindSafe(|| {
        for step in &steps.0 {
            let mut chance = Chance::new(seed, *step);
            world.say(format!("-- {step}"));
            act(&mut chance)(&mut world, &mut chance)?;
            if step % TRIED == 0 {
                trial::hold(&world)?;
            }
        }
        quiet::calm(&mut world, &mut Chance::new(seed, u64::MAX - 1))
    }));
    Story {
        end: told.unwrap_or_else(|panic| Err(format!("panic: {}", words(&*panic)))),
        lines: std::mem::take(&mut world.lines),
    }
}

/// What happens in a step.
fn act(chance: &mut Chance) -> Act {
    let all = || ACTS.iter().chain(&BLOWS).chain(&DEEDS);
    let total = all().map(|(weight, _)| weight).sum();
    let mut place = chance.below(total);
    for (weight, act) in all() {
        match place.checked_sub(*weight) {
            Some(rest) => place = rest,
            None => return *act,
        }
    }
    unreachable!("the weights do not add up")
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "without words".into())
}
