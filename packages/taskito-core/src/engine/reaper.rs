//! Settling what dead workers held. Any number of reapers may run: the fence lets one win.

use crate::error::Result;
use crate::job::{Token, WorkerRow};
use crate::outcome::{LossVerdict, decide_loss};
use crate::store::{End, Sync};

use super::{Site, certificate, ledger};

/// Settles the jobs of every worker whose process is gone; how many workers that were.
///
/// # Errors
/// Storage failures; the rest is done at the next call.
pub fn reap_the_dead(site: &Site) -> Result<usize> {
    let mut reaped = 0;
    for worker in site.store.workers()? {
        if !is_alive(site, &worker) {
            reap(site, &worker)?;
            reaped += 1;
        }
    }
    Ok(reaped)
}

/// Whether a worker lives. When the kernel cannot say, it does: a wrong yes only delays.
pub(super) fn is_alive(site: &Site, worker: &WorkerRow) -> bool {
    certificate::is_alive(site.path.as_deref(), worker.id).unwrap_or(true)
}

/// Settles the jobs of a dead worker and strikes it off the roster, in one transaction.
fn reap(site: &Site, worker: &WorkerRow) -> Result<()> {
    let path = site.path.as_deref();
    let started = ledger::started(path, worker.id);
    let name = worker.key.text(site.store.database()?);
    site.store.write(Sync::Relaxed, &mut |transaction| {
        let now = site.clock.now();
        let mut unstarted: Vec<Token> = Vec::new();
        let mut lost = Vec::new();
        let mut buried = Vec::new();
        for held in transaction.held(worker.id)? {
            let had_started = started
                .as_ref()
                .is_none_or(|keys| keys.contains(&held.token.key));
            match decide_loss(&held, &name, had_started) {
                LossVerdict::HandBack(token) => unstarted.push(token),
                LossVerdict::Lose(token, error) => lost.push((token, error)),
                LossVerdict::Bury(token, error) => buried.push((token, error)),
            }
        }
        transaction.hand_back(now, &unstarted)?;
        transaction.lose(now, &ends(&lost))?;
        transaction.bury_lost(now, &ends(&buried))?;
        transaction.dismiss(worker.id)?;
        Ok(())
    })?;
    ledger::remove(path, worker.id);
    Ok(())
}

fn ends(jobs: &[(Token, String)]) -> Vec<End<'_>> {
    jobs.iter()
        .map(|(token, error)| End {
            token: *token,
            error,
        })
        .collect()
}
