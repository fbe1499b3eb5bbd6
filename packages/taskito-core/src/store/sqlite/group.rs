//! Group commit: producers that arrive while one commits share the next commit. Each then sees
//! that it is flushed, which they share as well: `flush.rs`.

use std::sync::{Arc, PoisonError};

use super::flush::Ticket;
use super::{SqliteStore, lock};
use crate::error::{Error, Result};
use crate::job::{Inserted, NewJob};
use crate::sync::{Condvar, Mutex};

/// Where producers meet. One leads: it stores what all waiting ones brought.
#[derive(Default)]
pub(super) struct Group {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Request>,
    led: bool,
    /// Threads that sleep until somebody gives up the lead.
    sleepers: usize,
}

struct Request {
    jobs: Vec<NewJob>,
    answer: Answer,
}

/// What was stored, and when.
type Stored = (Vec<Inserted>, Ticket);

type Answer = Arc<Mutex<Option<Result<Stored>>>>;

impl Group {
    /// Stores `jobs`, all or none, alone or together with those of others.
    pub(super) fn insert(&self, jobs: Vec<NewJob>, store: &SqliteStore) -> Result<Stored> {
        let answer = Answer::default();
        let mut state = lock(&self.state);
        state.waiting.push(Request {
            jobs,
            answer: Arc::clone(&answer),
        });
        loop {
            if let Some(answer) = lock(&answer).take() {
                return answer;
            }
            if !state.led {
                break;
            }
            state.sleepers += 1;
            state = self
                .answered
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.sleepers -= 1;
        }
        state.led = true;
        let requests = std::mem::take(&mut state.waiting);
        drop(state);

        let _lead = Lead(self);
        commit(&requests, store);
        // Ours was among the requests, unless a leader broke down with them.
        lock(&answer).take().unwrap_or_else(|| {
            Err(Error::Io {
                path: store.path().into(),
                cause: "the thread that was storing these jobs broke down".into(),
            })
        })
    }
}

/// Gives up the lead when it is dropped, however the commit went.
struct Lead<'g>(&'g Group);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.led = false;
        let nobody_sleeps = state.sleepers == 0;
        drop(state);
        if !nobody_sleeps {
            self.0.answered.notify_all();
        }
    }
}

/// One transaction for all; if that fails, one for each, so that nobody pays for another.
fn commit(requests: &[Request], store: &SqliteStore) {
    match insert_all(requests, store) {
        Ok((answers, ticket)) => {
            for (request, inserted) in requests.iter().zip(answers) {
                *lock(&request.answer) = Some(Ok((inserted, ticket)));
            }
        }
        Err(error) if requests.len() == 1 => *lock(&requests[0].answer) = Some(Err(error)),
        Err(_) => {
            for request in requests {
                commit(std::slice::from_ref(request), store);
            }
        }
    }
}

fn insert_all(requests: &[Request], store: &SqliteStore) -> Result<(Vec<Vec<Inserted>>, Ticket)> {
    let mut answers = Vec::new();
    let ticket = store.commit(&mut |transaction| {
        let now = store.now();
        answers.clear();
        for request in requests {
            answers.push(transaction.insert(now, &request.jobs)?);
        }
        Ok(())
    })?;
    Ok((answers, ticket))
}
