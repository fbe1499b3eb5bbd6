//! Finding an argument in what is stored of a call: what its producer wrote for people, like
//! `7, to='a'`, or the JSON of the arguments, `[[7],{"to":"a"}]`. Nothing is decoded or run.
//! Long because of its tests, one for each way in which such text can end.

use std::borrow::Cow;

/// What ends a text that was cut off.
const CUT: char = '…';
/// What stands for something secret.
const HIDDEN: &str = "***";

/// What is stored of the arguments of a job.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    /// The preview: what stands between the parentheses of the call, in the words of Python.
    pub preview: Option<&'a str>,
    /// What the task is called with, where that is text.
    pub payload: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// What the argument with that name may be written as, without quotes if it is text; a number
    /// is the place of an argument without a name. The preview has the say. The payload is asked
    /// where there is none, or where it was cut off and hides nothing.
    pub fn argument(self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let shown = self
            .preview
            .and_then(|preview| in_preview(preview, name))
            .map(shown_bare);
        let is_whole = shown.as_ref().is_some_and(|value| !value.ends_with(CUT));
        let word = shown.as_deref().and_then(json_word).map(Cow::Borrowed);
        let full = self
            .full()
            .filter(|_| !is_whole)
            .and_then(|payload| JsonCall(payload).argument(name))
            .map(Cow::Borrowed);
        [shown, word, full].into_iter().flatten()
    }

    /// Whether the text stands in it.
    #[must_use]
    pub fn has(self, text: &str) -> bool {
        let texts = [self.preview, self.full()];
        texts
            .into_iter()
            .flatten()
            .any(|known| known.contains(text))
    }

    /// Whether text like `send(7, to='a')` is how this call of a task begins.
    #[must_use]
    pub fn begins(self, task: &str, text: &str) -> bool {
        let Some((name, arguments)) = text.split_once('(') else {
            return false;
        };
        let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
        let known = self.preview.is_some_and(|it| it.starts_with(arguments));
        known && !name.is_empty() && task.ends_with(name)
    }

    /// The payload, if it may say more than the preview, and nothing that the preview hides.
    fn full(self) -> Option<&'a str> {
        let Some(preview) = self.preview else {
            return self.payload;
        };
        let may_say_more = preview.contains(CUT) && !preview.contains(HIDDEN);
        self.payload.filter(|_| may_say_more)
    }
}

/// The text of an argument in a preview.
fn in_preview<'a>(preview: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = Parts::all(preview);
    match name.parse::<usize>() {
        Ok(place) => parts.filter(|part| split(part, '=').is_none()).nth(place),
        Err(_) => parts.find_map(|part| {
            split(part, '=').and_then(|(known, value)| (known == name).then_some(value))
        }),
    }
}

/// The text without the quotes around it; one that was cut off ends with [`CUT`].
fn shown_bare(text: &str) -> Cow<'_, str> {
    let Some(begin) = text.strip_suffix(CUT).filter(|it| !it.is_empty()) else {
        return Cow::Borrowed(bare(text));
    };
    let inner = bare(begin);
    // The quote was left open.
    let inner = if inner.len() == begin.len() {
        inner.strip_prefix(['\'', '"']).unwrap_or(inner)
    } else {
        inner
    };
    Cow::Owned(format!("{inner}{CUT}"))
}

/// How JSON writes a word of Python.
fn json_word(word: &str) -> Option<&'static str> {
    match word {
        "True" => Some("true"),
        "False" => Some("false"),
        "None" => Some("null"),
        _ => None,
    }
}

/// The arguments of a call as JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonCall<'a>(pub &'a str);

impl<'a> JsonCall<'a> {
    /// The text of the argument with that name, without quotes if it is text; a number is the
    /// place of an argument without a name. `None` when there is none, or when the text ends
    /// before.
    #[must_use]
    pub fn argument(self, name: &str) -> Option<&'a str> {
        if !self.0.starts_with('[') {
            return None;
        }
        let mut parts = Parts::of(self.0);
        let (positional, named) = (parts.next()?, parts.next());
        match name.parse::<usize>() {
            Ok(place) => Parts::of(positional).nth(place).map(bare),
            Err(_) => value_of(Parts::of(named?), name),
        }
    }
}

/// What the text of a list holds, without quotes.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    Parts::of(list).map(bare)
}

/// The value behind that name.
fn value_of<'a>(parts: Parts<'a>, name: &str) -> Option<&'a str> {
    let mut pairs = parts.filter_map(|part| split(part, ':'));
    let (_, value) = pairs.find(|(known, _)| bare(known) == name)?;
    Some(bare(value))
}

/// Name and value of a part that has a name: what comes before the mark is a word, or a text.
fn split(part: &str, mark: char) -> Option<(&str, &str)> {
    let end = if part.starts_with('"') {
        Letters::of(part)
            .find(|(_, letter, is_plain)| *is_plain && *letter == mark)?
            .0
    } else {
        part.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?
    };
    let (name, rest) = part.split_at(end);
    Some((name.trim(), rest.strip_prefix(mark)?.trim()))
}

/// The text without the quotes around it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    text
}

/// What stands between the outermost brackets, or in all of a text, parted by commas.
struct Parts<'a> {
    rest: &'a str,
    /// Whether the end of the text ends a part, or cuts it off.
    ends: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let inside = text.find(['(', '[', '{']).map_or("", |at| &text[at + 1..]);
        Self {
            rest: inside,
            ends: false,
        }
    }

    fn all(text: &'a str) -> Self {
        Self {
            rest: text,
            ends: true,
        }
    }

    /// The part up to there, the last one.
    fn last(&mut self, end: usize) -> Option<&'a str> {
        let part = self.rest[..end].trim();
        self.rest = "";
        (!part.is_empty()).then_some(part)
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let mut depth = 0_u32;
        for (at, letter, is_plain) in Letters::of(self.rest) {
            match letter {
                _ if !is_plain => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 0 => depth -= 1,
                ',' if depth == 0 => {
                    let part = &self.rest[..at];
                    self.rest = &self.rest[at + 1..];
                    return Some(part.trim());
                }
                ')' | ']' | '}' if !self.ends => return self.last(at),
                _ => {}
            }
        }
        // A part that was cut off says nothing for sure.
        self.last(if self.ends { self.rest.len() } else { 0 })
    }
}

/// The letters of a text, and whether each stands outside of quotes.
struct Letters<'a> {
    rest: std::str::CharIndices<'a>,
    quote: Option<char>,
    is_escaped: bool,
}

impl<'a> Letters<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: text.char_indices(),
            quote: None,
            is_escaped: false,
        }
    }
}

impl Iterator for Letters<'_> {
    type Item = (usize, char, bool);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, letter) = self.rest.next()?;
        if self.is_escaped {
            self.is_escaped = false;
            return Some((at, letter, false));
        }
        match self.quote {
            Some(quote) => {
                self.is_escaped = letter == '\\';
                if letter == quote {
                    self.quote = None;
                }
                Some((at, letter, false))
            }
            None if letter == '"' || letter == '\'' => {
                self.quote = Some(letter);
                Some((at, letter, false))
            }
            None => Some((at, letter, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, JsonCall};

    const SHOWN: &str = r#"7, "a, b", user_id=42, to='x=1, y', deep={'user_id': 9}"#;
    const JSON: &str = r#"[[7,"a, b"],{"user_id":42,"to":"x=1, y","deep":{"user_id":9}}]"#;

    fn shown(preview: &str) -> Call<'_> {
        Call {
            preview: Some(preview),
            payload: None,
        }
    }

    fn stored(payload: &str) -> Call<'_> {
        Call {
            preview: None,
            payload: Some(payload),
        }
    }

    fn both<'a>(preview: &'a str, payload: &'a str) -> Call<'a> {
        Call {
            preview: Some(preview),
            payload: Some(payload),
        }
    }

    fn argument(call: Call<'_>, name: &str) -> Vec<String> {
        call.argument(name).map(String::from).collect()
    }

    #[test]
    fn an_argument_is_found_by_its_name() {
        for call in [shown(SHOWN), stored(JSON)] {
            assert_eq!(argument(call, "user_id"), ["42"], "{call:?}");
            assert_eq!(argument(call, "to"), ["x=1, y"], "{call:?}");
        }
    }

    #[test]
    fn an_argument_without_a_name_is_found_by_its_place() {
        for call in [shown(SHOWN), stored(JSON)] {
            assert_eq!(argument(call, "0"), ["7"], "{call:?}");
            assert_eq!(argument(call, "1"), ["a, b"], "{call:?}");
            assert!(argument(call, "2").is_empty(), "{call:?}");
        }
    }

    #[test]
    fn names_inside_of_values_are_no_arguments() {
        let texts = [r"'user=1'", r#""it's user=1""#, "<User>, {'user': 1}"];
        let calls = texts.map(shown).into_iter();
        for call in calls.chain([shown(SHOWN), stored(JSON), stored(r#"[["user=1"],{}]"#)]) {
            assert!(argument(call, "user").is_empty(), "{call:?}");
            assert!(argument(call, "y").is_empty(), "{call:?}");
        }
    }

    #[test]
    fn the_last_argument_ends_with_the_preview() {
        assert_eq!(argument(shown("1"), "0"), ["1"]);
        assert_eq!(argument(shown("a=(1, 2)"), "a"), ["(1, 2)"]);
        assert!(argument(shown(""), "0").is_empty());
        assert_eq!(argument(shown("odd), 2"), "1"), ["2"]);
    }

    #[test]
    fn words_of_python_are_found_as_json_writes_them_too() {
        assert_eq!(argument(shown("a=True"), "a"), ["True", "true"]);
        assert_eq!(argument(shown("a=None"), "a"), ["None", "null"]);
        assert_eq!(argument(shown("a='True!'"), "a"), ["True!"]);
    }

    #[test]
    fn what_was_cut_off_says_so_and_the_payload_says_the_rest() {
        assert_eq!(argument(shown("a='xyz'…, b=1"), "a"), ["xyz…"]);
        assert_eq!(argument(shown("b=1, a='xy…"), "a"), ["xy…"]);
        assert_eq!(argument(shown("b=1, a=4…"), "a"), ["4…"]);
        let json = r#"[[],{"b":1,"a":42,"c":7}]"#;
        let call = both("b=1, a=4…", json);
        assert_eq!(argument(call, "a"), ["4…", "42"]);
        assert_eq!(argument(call, "c"), ["7"]);
        assert_eq!(argument(both("b=2, a=4…", json), "b"), ["2"]);
        assert!(call.has("42") && !both("a=4", json).has("42"));
    }

    #[test]
    fn what_a_preview_hides_is_found_nowhere() {
        let json = r#"[[],{"token":"abc","text":"xyz"}]"#;
        for preview in ["token=***, text='xyz'", "token=***, text='x'…"] {
            assert_eq!(argument(both(preview, json), "token"), ["***"]);
            assert!(!both(preview, json).has("abc"));
        }
        assert_eq!(argument(stored(json), "token"), ["abc"]);
    }

    #[test]
    fn a_call_is_known_by_how_it_begins() {
        let call = shown("7, to='a'");
        for text in ["send(7", "send(7, to='a')", "app.send(", "send(7)"] {
            assert!(call.begins("app.send", text), "{text}");
        }
        for text in ["send(8", "(7", "send", "spend(7"] {
            assert!(!call.begins("app.send", text), "{text}");
        }
    }

    #[test]
    fn json_that_was_cut_off_is_read_as_far_as_it_goes() {
        for end in 0..JSON.len() {
            let found = JsonCall(&JSON[..end]).argument("user_id");
            assert!(found.is_none() || found == Some("42"), "{end}: {found:?}");
        }
        for text in ["", "send(a=1)", "[", "[[", "[[1]", "{}", "]]", "[[],{\"a\""] {
            assert_eq!(JsonCall(text).argument("a"), None, "{text}");
        }
    }

    #[test]
    fn any_end_of_a_preview_can_be_read() {
        for end in (0..SHOWN.len()).filter(|end| SHOWN.is_char_boundary(*end)) {
            let cut = format!("{}…", &SHOWN[..end]);
            let found = argument(shown(&cut), "user_id");
            let fits = ["42", "42…", "4…", "…"];
            assert!(
                found.iter().all(|it| fits.contains(&it.as_str())),
                "{cut}: {found:?}"
            );
        }
    }

    #[test]
    fn quotes_within_quotes_end_nothing() {
        let call = shown(r"a='say \'x, b=2', b=3");
        assert_eq!(argument(call, "b"), ["3"]);
        assert_eq!(argument(call, "a"), [r"say \'x, b=2"]);
    }
}
