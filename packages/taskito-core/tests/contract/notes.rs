//! Progress and log lines of running jobs.

use taskito_core::job::{JobRow, LogFilter, Token};
use taskito_core::store::{LogLine, Verdict};

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::job;
use crate::world::{NOBODY, World, assert_applied};

contract![
    progress_is_that_of_the_running_job,
    progress_stays_when_the_job_ends,
    progress_is_refused_without_the_claim,
    log_lines_are_kept_in_their_order,
    log_lines_of_all_jobs_are_listed_newest_first,
    log_lines_stay_when_the_job_ends,
    log_lines_are_refused_without_the_claim,
    each_line_of_a_slice_is_judged_for_itself,
];

fn progress(world: &World, token: Token, progress: u8) -> Verdict {
    world.write(|t| t.note_progress(&[(token, progress)]))[0]
}

fn line(world: &World, token: Token, message: &str) -> LogLine {
    LogLine {
        token,
        level: "info".into(),
        message: message.into(),
        extra: None,
        logged_at: world.now(),
    }
}

fn progress_is_that_of_the_running_job(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    for percent in [7, 100, 0] {
        assert_applied(progress(world, token, percent));
        assert_eq!(
            world.row(token.key),
            JobRow {
                progress: Some(percent),
                ..running.clone()
            }
        );
    }
}

fn progress_stays_when_the_job_ends(world: &World) {
    let token = world.running(job("a"));
    assert_applied(progress(world, token, 40));
    assert_applied(world.complete(token, b"r"));
    assert_eq!(world.row(token.key).progress, Some(40));
}

fn progress_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| progress(world, token, 1));
}

fn log_lines_are_kept_in_their_order(world: &World) {
    let token = world.running(job("a"));
    let other = world.running(job("b"));
    let first = LogLine {
        level: "debug".into(),
        extra: Some("{\"a\":1}".into()),
        ..line(world, token, "one\n\u{1f980}")
    };
    world.write(|t| t.note_log(std::slice::from_ref(&first)));
    world.advance(300);
    assert_applied(world.log(other, "elsewhere"));
    assert_applied(world.log(token, ""));
    let lines = world.logs(token.key);
    let told: Vec<_> = lines
        .iter()
        .map(|line| (&*line.level, &*line.message, line.extra.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("debug", "one\n\u{1f980}", Some("{\"a\":1}")),
            ("info", "", None),
        ]
    );
    assert!(lines.iter().all(|line| line.job == token.key));
    assert!(lines.iter().all(|line| line.task == "a"));
    assert!(lines[0].key < lines[1].key);
    assert_eq!(lines[1].logged_at, world.now());
    assert_eq!(world.logs(NOBODY), []);
}

fn log_lines_of_all_jobs_are_listed_newest_first(world: &World) {
    let [a, b] = ["a", "b"].map(|task| world.running(job(task)));
    assert_applied(world.log(a, "first"));
    world.advance(1000);
    assert_applied(world.log(b, "second"));
    let grave = LogLine {
        level: "error".into(),
        ..line(world, a, "third")
    };
    world.write(|t| t.note_log(std::slice::from_ref(&grave)));
    let listed = |change: &dyn Fn(&mut LogFilter)| {
        let mut filter = LogFilter {
            limit: 9,
            ..LogFilter::default()
        };
        change(&mut filter);
        let lines = world.store().query_logs(&filter).unwrap();
        let messages: Vec<String> = lines.into_iter().map(|line| line.message).collect();
        messages.join(" ")
    };
    assert_eq!(listed(&|_| {}), "third second first");
    assert_eq!(listed(&|f| f.limit = 2), "third second");
    assert_eq!(listed(&|f| f.task = Some("a".into())), "third first");
    assert_eq!(listed(&|f| f.level = Some("info".into())), "second first");
    assert_eq!(listed(&|f| f.since = world.now()), "third second");
    assert_eq!(listed(&|f| f.since = world.later(1)), "");
}

fn log_lines_stay_when_the_job_ends(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.log(token, "so far so good"));
    assert_applied(world.bury(token, "boom"));
    assert_eq!(world.logs(token.key)[0].message, "so far so good");
}

fn log_lines_are_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| {
        let verdict = world.log(token, "late");
        assert_eq!(world.logs(token.key), []);
        verdict
    });
}

fn each_line_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let batch: Vec<_> = tokens
            .iter()
            .map(|&token| line(world, token, "x"))
            .collect();
        let mut verdicts = world.write(|t| t.note_log(&batch));
        // The notes of one claim are judged alike; settle, so that only the first counts.
        for (token, verdict) in tokens.iter().zip(&mut verdicts) {
            if *verdict == Verdict::Applied {
                *verdict = world.complete(*token, b"");
            }
        }
        verdicts
    });
}
