//! Keys and their public text.

use taskito_core::clock::Millis;
use taskito_core::id::{DatabaseId, EPOCH, Key, KeySource};

use crate::hold;

#[test]
fn a_key_and_its_text_are_the_same() {
    hold(20_000, |chance| {
        let database = DatabaseId::from_bits(chance.next());
        let key = Key(i64::try_from(chance.next() >> chance.one_of(&[1, 1, 20, 60])).unwrap());
        let text = key.text(database);
        assert_eq!(Key::parse(&text, database), Some(key), "{text}");
        let other = DatabaseId::from_bits(chance.next());
        assert!(
            other == database || Key::parse(&text, other).is_none(),
            "{text}"
        );
    });
}

#[test]
fn text_that_differs_in_a_letter_is_another_id_or_none() {
    hold(20_000, |chance| {
        let database = DatabaseId::from_bits(chance.next());
        let key = Key(i64::try_from(chance.next() >> 1).unwrap());
        let mut text = key.text(database).into_bytes();
        let place = chance.below(text.len());
        text[place] = chance.one_of(b"0123456789abcdefABCDEFg-+ \xff");
        let text = String::from_utf8_lossy(&text).into_owned();
        if let Some(read) = Key::parse(&text, database) {
            assert_eq!(read.text(database), text);
        }
    });
}

#[test]
fn the_first_key_of_an_instant_comes_before_all_that_are_made_there() {
    hold(20_000, |chance| {
        let last_year = 1_000_000_000_000;
        let now = Millis(EPOCH + i64::try_from(chance.next() % last_year).unwrap());
        let source = KeySource::new(chance.next());
        let keys = [0; 3].map(|_| source.next(now));
        assert!(Key::first_at(now) <= keys[0] && keys.is_sorted());
        assert!(keys[2] < Key::first_at(Millis(now.0 + 1)));
        let any = Millis(chance.next().cast_signed());
        assert!(Key::first_at(any) >= Key(0));
    });
}
