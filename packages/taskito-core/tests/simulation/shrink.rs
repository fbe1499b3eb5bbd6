//! Makes a history that breaks a law short, so that a person can read it.

use crate::history::{Steps, tell};
use crate::world::Ground;

/// Histories that are told to find a short one.
const TRIES: usize = 400;

/// Lines of a short history that are printed.
const MOST_LINES: usize = 60;

/// What to print about a history that broke a law.
pub(crate) fn report(ground: &Ground, seed: u64, broken: &str) -> String {
    let steps = shorten(ground, seed, law(broken));
    let story = tell(ground, seed, &steps);
    let mut lines = story.lines;
    if lines.len() > MOST_LINES {
        let rest = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("... and {rest} lines more"));
    }
    let lines = lines.join("\n");
    let short = story.end.err().unwrap_or_default();
    format!(
        "seed {seed} breaks a law: {broken}\n\nshortened to these steps:\n{lines}\n{short}\n\nreplay with\n    \
         TASKITO_SEED={seed} TASKITO_STEPS={steps} cargo nextest run --no-capture \
         --features model -p taskito-core --test simulation no_history\n"
    )
}

/// Leaves out as many steps as it can while the same law is still broken.
fn shorten(ground: &Ground, seed: u64, broken: &str) -> Steps {
    let mut tries = 0;
    let mut steps = Steps::all();
    let mut portion = steps.0.len() / 2;
    while portion > 0 {
        let mut begin = 0;
        while begin < steps.0.len() && tries < TRIES {
            tries += 1;
            let end = (begin + portion).min(steps.0.len());
            let mut fewer = steps.clone();
            fewer.0.drain(begin..end);
            let told = tell(ground, seed, &fewer).end;
            if told.is_err_and(|told| law(&told) == broken) {
                steps = fewer;
            } else {
                begin = end;
            }
        }
        portion /= 2;
    }
    steps
}

/// The law, without the case in which it was broken.
fn law(broken: &str) -> &str {
    broken.split_once(':').map_or(broken, |(law, _)| law)
}
