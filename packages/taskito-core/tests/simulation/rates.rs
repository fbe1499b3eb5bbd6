//! What rates allow, counted the plain way: how many jobs of a scope were claimed in each span
//! of time.

use std::collections::HashMap;

use taskito_core::clock::Millis;
use taskito_core::job::JobRow;
use taskito_core::rate::Rate;

use crate::laws::Lawful;

/// Claims by scope.
#[derive(Default)]
pub(crate) struct Rates {
    claims: HashMap<String, Vec<Millis>>,
    /// Claims that never began: their tokens came back.
    returned: HashMap<String, i64>,
}

/// The scopes of a job: its queue, and its task or its limit key there.
fn scopes(row: &JobRow) -> [String; 2] {
    let key = row.limit_key.as_deref();
    [
        format!("queue {}", row.queue),
        format!("task {} key {key:?}", row.task),
    ]
}

impl Rates {
    /// Nobody knows what rates allow after the clock was set or a rate was changed.
    pub(crate) fn forget(&mut self) {
        self.claims.clear();
    }

    /// A claim was given back before its function began.
    pub(crate) fn returns(&mut self, row: &JobRow) {
        for scope in scopes(row) {
            *self.returned.entry(scope).or_default() += 1;
        }
    }

    /// A job was claimed under these rates of its queue and its task.
    pub(crate) fn claims(
        &mut self,
        now: Millis,
        row: &JobRow,
        rates: [Option<&Rate>; 2],
    ) -> Lawful {
        for (scope, rate) in scopes(row).into_iter().zip(rates) {
            let claims = self.claims.entry(scope.clone()).or_default();
            claims.push(now);
            let Some(rate) = rate else { continue };
            let returned = self.returned.get(&scope).copied().unwrap_or_default();
            let (text, _) = rate.text().split_once('/').unwrap();
            let capacity = text.parse::<f64>().unwrap().max(1.0);
            for (place, begin) in claims.iter().enumerate() {
                let count = i64::try_from(claims.len() - place).unwrap() - returned;
                let span = (now.0 - begin.0) * 1_000_000;
                #[allow(clippy::cast_possible_truncation, reason = "small and positive")]
                let most = capacity.floor() as i64 + span / rate.interval().0;
                if count > most {
                    return Err(format!(
                        "{count} jobs of {scope} began in {span} ns at {rate}"
                    ));
                }
            }
        }
        Ok(())
    }
}
