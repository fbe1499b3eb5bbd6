//! What the workers of a history run: its tasks, their limits, its schedules.

use std::collections::BTreeMap;
use std::time::Duration;

use taskito_core::breaker::BreakerSettings;
use taskito_core::engine::{Kind, TaskSettings};
use taskito_core::limits::{Limit, TaskLimits};
use taskito_core::rate::Rate;
use taskito_core::retry::RetryPolicy;
use taskito_core::schedule::{CatchUp, Plan};

use crate::chance::Chance;
use crate::support::{every, plan};

/// The names of the queues.
pub(crate) const QUEUES: [&str; 3] = ["x", "y", "z"];

/// Tasks by name, and schedules.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) tasks: BTreeMap<&'static str, TaskSettings>,
    pub(crate) plans: Vec<Plan>,
}

impl Code {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let rate = chance.one_of(&["1/s", "2/s", "5/s", "0.5/s"]);
        let most = chance.one_of(&[1, 2]);
        let breaker = BreakerSettings {
            threshold: chance.one_of(&[1, 2]),
            window: Duration::from_secs(10),
            cooldown: Duration::from_secs(2),
        };
        let rated = chance.one_in(3).then_some(rate);
        let kind = Kind::Coroutine;
        let tasks = [
            ("plain", settings(None, None, None)),
            ("rated", settings(Some(rate), None, None)),
            ("few", settings(rated, Some(most), None)),
            ("fuse", settings(None, None, Some(breaker))),
            (
                "async",
                TaskSettings {
                    kind,
                    ..settings(None, chance.one_in(2).then_some(2), None)
                },
            ),
        ];
        let mut code = Self {
            tasks: tasks.into(),
            plans: Vec::new(),
        };
        if chance.one_in(2) {
            let catch_up = chance.one_of(&[CatchUp::One, CatchUp::None, CatchUp::All]);
            let timing = every(chance.one_of(&[2, 5, 7]));
            code.plans.push(Plan {
                catch_up,
                ..plan("plain", timing)
            });
        }
        code
    }

    /// What holds jobs of a task back, by this code.
    pub(crate) fn limits(&self, task: &str) -> &TaskLimits {
        &self.tasks[task].limits
    }

    /// The next version, in which another number of jobs of a task runs at once.
    pub(crate) fn next(&self, most: u32) -> Self {
        let mut next = self.clone();
        if let Some(few) = next.tasks.get_mut("few") {
            few.limits.limit.max_concurrent = Some(most);
        }
        next
    }
}

fn settings(
    rate: Option<&str>,
    max_concurrent: Option<u32>,
    breaker: Option<BreakerSettings>,
) -> TaskSettings {
    TaskSettings {
        policy: RetryPolicy {
            backoff: Duration::from_millis(400),
            max_delay: Duration::from_secs(2),
            ..RetryPolicy::default()
        },
        kind: Kind::Thread,
        limits: TaskLimits {
            limit: Limit {
                rate: rate.map(|text| Rate::parse(text).unwrap()),
                max_concurrent,
            },
            breaker,
        },
    }
}
