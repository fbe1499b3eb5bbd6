//! Attempts over their time whose own worker, stopped or stuck, does not see to it: any other
//! worker does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::Trial;
use crate::error::Result;
use crate::id::Key;
use crate::job::{Claim, Fence, Held, WorkerId, WorkerRow};
use crate::outcome::{Outcome, Settlement};
use crate::retry::RetryPolicy;
use crate::rollup::Run;
use crate::store::{End, Failure, Judgement, Sync, Verdict};

use super::desk::Desk;
use super::news::News;
use super::{Site, clockwork, ledger, reaper};

/// How long a worker has to settle its own attempts after their time.
const GRACE: Duration = Duration::from_secs(5);

/// Times out what the `peers` of a worker should have timed out themselves.
///
/// # Errors
/// Storage failures; the next call repeats it all.
pub(super) fn enforce(site: &Site, desk: &Desk, news: &News, peers: &[WorkerRow]) -> Result<()> {
    let grace = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
    let limit = site.clock.instant_millis().saturating_sub(grace);
    for peer in peers {
        let late = ledger::overdue(site.path.as_deref(), peer.id, limit);
        if !late.is_empty() {
            let buried = time_out(site, desk, peer.id, &late);
            // It must learn what it holds no longer, as in the reaper.
            site.gate.ring_control();
            for (held, error) in buried? {
                reaper::tell_of_burial(site, news, held, error);
            }
        }
    }
    Ok(())
}

/// Which of a worker's late jobs were buried, and why.
fn time_out(
    site: &Site,
    desk: &Desk,
    peer: WorkerId,
    late: &HashMap<(Key, Fence), u64>,
) -> Result<Vec<(Held, String)>> {
    let mut buried = Vec::new();
    for held in site.store.holdings(peer)? {
        let Some(start) = late.get(&(held.token.key, held.token.fence)) else {
            continue;
        };
        let Some(claim) = reaper::claim_of(site, held)? else {
            continue;
        };
        let policy = desk.policy(&claim.task).unwrap_or_default();
        let random = desk.random();
        if let Some(error) = settle(site, &claim, &policy, *start, random)? {
            buried.push((held, error));
        }
    }
    Ok(buried)
}

/// Settles one claim as timed out; why it was buried, if it was.
fn settle(
    site: &Site,
    claim: &Claim,
    policy: &RetryPolicy,
    start: u64,
    random: u64,
) -> Result<Option<String>> {
    let outcome = Outcome::timed_out(claim, policy);
    let token = claim.token;
    let mut buried = None;
    site.store.write(Sync::Relaxed, &mut |transaction| {
        let now = clockwork::told_time(site, transaction)?;
        buried = None;
        let began = ledger::on_the_wall(&*site.clock, now, start);
        let run = Run::since(claim.run_at, began, claim.timeout);
        let verdicts = match outcome.decide(claim, policy, now, random) {
            Settlement::Retry {
                run_at,
                error,
                cause,
            } => {
                let failure = Failure {
                    token,
                    error,
                    cause,
                    run_at,
                    run,
                };
                transaction.retry(now, &[failure])?
            }
            Settlement::Bury { error, cause } => {
                let end = End {
                    token,
                    error,
                    cause,
                    run: Some(run),
                };
                let verdicts = transaction.bury(now, &[end])?;
                buried = (verdicts == [Verdict::Applied]).then(|| error.to_owned());
                verdicts
            }
            // A timeout leads nowhere else.
            _ => Vec::new(),
        };
        if verdicts == [Verdict::Applied] {
            transaction.judge(
                now,
                &[Judgement {
                    task: Arc::clone(&claim.task),
                    token,
                    trial: Trial::Failed,
                }],
            )?;
        }
        Ok(())
    })?;
    Ok(buried)
}
