//! Settling what dead workers held. Any number of reapers may run: the fence lets one win.

use std::iter;
use std::path::Path;

use crate::cause::Cause;
use crate::error::Result;
use crate::job::{Claim, Held, Token, WorkerRow};
use crate::outcome::{LossVerdict, decide_loss};
use crate::rollup::Run;
use crate::store::{End, JobStore, Sync, Verdict};

use super::news::{Event, News};
use super::{Site, certificate, ledger};

/// Settles the jobs of every worker whose process is gone; how many workers that were.
///
/// # Errors
/// Storage failures; the rest is done at the next call.
pub fn reap_the_dead(site: &Site) -> Result<usize> {
    let roster = site.store.workers()?;
    let living = reap(site, &News::default(), roster.clone())?;
    Ok(roster.len() - living.len())
}

/// Settles the jobs of the dead among `roster`, and tells of each that became a dead letter;
/// who lives.
pub(super) fn reap(site: &Site, news: &News, roster: Vec<WorkerRow>) -> Result<Vec<WorkerRow>> {
    let (living, dead): (Vec<_>, Vec<_>) = roster
        .into_iter()
        .partition(|worker| is_alive(site.path.as_deref(), worker));
    for worker in &dead {
        let buried = settle(site, worker);
        // Should it live after all, it must learn what it holds no longer, also if that was
        // settled by a commit that was reported as failed.
        site.gate.ring_control();
        for (held, error) in buried? {
            tell_of_burial(site, news, held, error);
        }
    }
    Ok(living)
}

/// Says that a job of another worker became a dead letter, if anybody wants to know.
pub(super) fn tell_of_burial(site: &Site, news: &News, held: Held, error: String) {
    // A job that cannot be read now was deleted, or the store is failing; the letter is there
    // all the same.
    if news.wants_lost()
        && let Ok(Some(mut claim)) = claim_of(site, held)
        && let Ok(Some(payload)) = site.store.payload(held.token.key)
    {
        claim.payload = payload;
        news.tell([Event::Lost(Box::new(claim), error)]);
    }
}

/// The claim as the worker that holds the job has it, without the payload.
pub(super) fn claim_of(site: &Site, held: Held) -> Result<Option<Claim>> {
    let row = site.store.job(held.token.key)?;
    Ok(row.map(|row| Claim {
        token: held.token,
        queue: row.queue.into(),
        task: row.task.into(),
        payload: Vec::new(),
        inputs: None,
        retry_count: row.retry_count,
        max_retries: row.max_retries,
        losses: row.losses,
        run_at: row.run_at,
        timeout: row.timeout,
        expires_at: row.expires_at,
    }))
}

/// The workers on the roster whose process is there, oldest first.
///
/// # Errors
/// Storage failures.
pub fn living_workers(store: &dyn JobStore, path: Option<&Path>) -> Result<Vec<WorkerRow>> {
    let mut workers = store.workers()?;
    workers.retain(|worker| is_alive(path, worker));
    Ok(workers)
}

/// Whether a worker lives. When the kernel cannot say, it does: a wrong yes only delays.
fn is_alive(path: Option<&Path>, worker: &WorkerRow) -> bool {
    certificate::is_alive(path, worker.id).unwrap_or(true)
}

/// Settles the jobs of a dead worker and strikes it off the roster, in one transaction. Which
/// jobs it buried, and why.
fn settle(site: &Site, worker: &WorkerRow) -> Result<Vec<(Held, String)>> {
    let path = site.path.as_deref();
    let started = ledger::started(path, worker.id);
    let name = worker.key.text(site.store.database()?);
    let mut dead = Vec::new();
    site.store.write(Sync::Relaxed, &mut |transaction| {
        let now = site.clock.now();
        let mut unstarted: Vec<Token> = Vec::new();
        let mut lost = Vec::new();
        let mut buried = Vec::new();
        let mut doomed = Vec::new();
        for held in transaction.held(worker.id)? {
            let claim = (held.token.key, held.token.fence);
            let start = started.as_ref().map(|claims| claims.get(&claim));
            let run = start.flatten().map(|start| {
                let began = ledger::on_the_wall(&*site.clock, now, *start);
                Run::since(now, began, began.until(now))
            });
            match decide_loss(&held, &name, start.is_none_or(|start| start.is_some())) {
                LossVerdict::HandBack(token) => unstarted.push(token),
                LossVerdict::Lose(token, error) => lost.push((token, error, run)),
                LossVerdict::Bury(token, error) => {
                    doomed.push(held);
                    buried.push((token, error, run));
                }
            }
        }
        let verdicts = transaction.hand_back(now, &unstarted)?;
        let applied = unstarted.iter().zip(verdicts);
        let applied = applied.filter(|(_, verdict)| *verdict != Verdict::Stale);
        let unstarted: Vec<Token> = applied.map(|(token, _)| *token).collect();
        transaction.put_back_tokens(&unstarted)?;
        transaction.lose(now, &ends(&lost, &[]))?;
        let errors = buried.iter().map(|(_, error, _)| Cause::lost(error));
        let causes: Vec<Cause> = errors.collect();
        let verdicts = transaction.bury_lost(now, &ends(&buried, &causes))?;
        transaction.dismiss(worker.id)?;
        let errors = buried.into_iter().map(|(_, error, _)| error);
        dead = doomed
            .into_iter()
            .zip(errors)
            .zip(verdicts)
            .filter_map(|(job, verdict)| (verdict == Verdict::Applied).then_some(job))
            .collect();
        Ok(())
    })?;
    ledger::remove(path, worker.id);
    Ok(dead)
}

/// The ends of these jobs; the last ones of them have no cause.
fn ends<'a>(jobs: &'a [(Token, String, Option<Run>)], causes: &'a [Cause]) -> Vec<End<'a>> {
    let causes = causes.iter().map(Some).chain(iter::repeat(None));
    jobs.iter()
        .zip(causes)
        .map(|((token, error, run), cause)| End {
            token: *token,
            error,
            cause,
            run: *run,
        })
        .collect()
}
