//! Token buckets against one that is filled drop by drop.

use taskito_core::clock::Millis;
use taskito_core::rate::{Bucket, Rate};

use crate::hold;
use crate::support::START;

/// A bucket that holds time, in nanoseconds: a token costs an interval, and each nanosecond
/// brings one.
struct Drops {
    level: i128,
    most: i128,
    at: Millis,
}

impl Drops {
    fn fill(&mut self, now: Millis) {
        let passed = i128::from(now.0 - self.at.0) * 1_000_000;
        self.level = (self.level + passed).min(self.most);
        self.at = now;
    }
}

#[test]
fn jobs_start_when_a_token_is_there_and_not_before() {
    hold(3_000, |chance| {
        let count = chance.one_of(&[
            "1", "2", "3", "7", "0.5", "0.3", "2.5", "60", "1000", "0.001",
        ]);
        let period = chance.one_of(&["s", "m", "h", "d"]);
        let rate = Rate::parse(&format!("{count}/{period}")).unwrap();
        let interval = i128::from(rate.interval().0);
        let tokens = count.parse::<f64>().unwrap().max(1.0);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "small"
        )]
        let burst = ((tokens - 1.0) * rate.interval().0 as f64).ceil() as i128;
        let most = burst + interval;
        let mut drops = Drops {
            level: most,
            most,
            at: START,
        };
        let (mut bucket, mut now) = (Bucket::default(), START);
        for _ in 0..60 {
            let step = i64::try_from(chance.next() >> chance.one_of(&[48, 54, 58])).unwrap();
            now = Millis(now.0 + chance.one_of(&[0, 1, step]));
            drops.fill(now);
            let opens = bucket.healed(&rate, now).opens_at(&rate);
            assert_eq!(
                opens <= now,
                drops.level >= interval,
                "{rate} {:?}",
                drops.level
            );
            if opens > now {
                let missing = interval - drops.level;
                assert_eq!(
                    i128::from(opens.0 - now.0),
                    (missing + 999_999) / 1_000_000,
                    "{rate}"
                );
                now = if chance.one_in(2) { opens } else { now };
                drops.fill(now);
            }
            if bucket.opens_at(&rate) <= now {
                bucket = bucket.taken(&rate, now);
                drops.level -= interval;
            }
        }
    });
}

#[test]
fn any_text_is_a_rate_or_is_refused() {
    hold(20_000, |chance| {
        let letters = b"0123456789./ smhdinuteoury\t-+eE\xc2\xb2";
        let text: Vec<u8> = (0..chance.below(12))
            .map(|_| chance.one_of(letters))
            .collect();
        let text = String::from_utf8_lossy(&text);
        if let Ok(rate) = Rate::parse(&text) {
            assert!(rate.interval().0 > 0, "{text}");
            assert_eq!(Rate::parse(rate.text()).unwrap(), rate, "{text}");
            let taken = Bucket::default().taken(&rate, START);
            assert!(
                taken.opens_at(&rate) >= Bucket::default().opens_at(&rate),
                "{text}"
            );
        }
    });
}
