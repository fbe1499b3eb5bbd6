//! Waits between attempts.

use std::time::Duration;

use taskito_core::retry::RetryPolicy;

use crate::hold;

#[test]
fn a_wait_is_the_capped_power_and_less_than_one_base_more() {
    hold(20_000, |chance| {
        let base = chance.next() >> chance.below(64);
        let cap = chance.next() >> chance.below(64);
        let retries = u32::try_from(chance.next() >> chance.one_of(&[32, 57, 60])).unwrap();
        let policy = RetryPolicy {
            backoff: Duration::from_millis(base),
            max_delay: Duration::from_millis(cap),
            ..RetryPolicy::default()
        };
        let delay = policy.delay(retries, chance.next()).as_millis();
        let power = 1_u128.checked_shl(retries).filter(|_| retries < 64);
        let least = power.map_or(u128::from(cap), |power| {
            (u128::from(base) * power).min(cap.into())
        });
        if base == 0 {
            assert_eq!(delay, 0);
        } else {
            // No wait is longer than the numbers reach.
            let most = (least + u128::from(base) - 1).min(u64::MAX.into());
            assert!(
                (least..=most).contains(&delay),
                "{policy:?} {retries}: {delay}"
            );
        }
    });
}

#[test]
fn a_list_of_waits_ends_with_its_last() {
    hold(2_000, |chance| {
        let delays: Vec<Duration> = (0..=chance.below(5))
            .map(|_| Duration::from_nanos(chance.next()))
            .collect();
        let policy = RetryPolicy {
            delays: delays.clone().into(),
            ..RetryPolicy::default()
        };
        let retries = u32::try_from(chance.next() >> chance.one_of(&[32, 62])).unwrap();
        let place = (retries as usize).min(delays.len() - 1);
        assert_eq!(policy.delay(retries, chance.next()), delays[place]);
    });
}
