//! Finding an argument in what is stored of a call: text like `send(7, to="a")`, or the JSON of
//! the arguments, `[[7],{"to":"a"}]`. Nothing is decoded or run.

/// The arguments of a call, as text.
#[derive(Clone, Copy, Debug)]
pub struct CallText<'a>(pub &'a str);

impl<'a> CallText<'a> {
    /// The text of the argument with that name, without quotes if it is text; a number is the
    /// place of an argument without a name. `None` when there is none, or when the text ends
    /// before.
    #[must_use]
    pub fn argument(self, name: &str) -> Option<&'a str> {
        let place = name.parse::<usize>().ok();
        let is_json = self.0.starts_with('[');
        let mut parts = Parts::of(self.0);
        if is_json {
            let (positional, named) = (parts.next()?, parts.next());
            return match place {
                Some(place) => Parts::of(positional).nth(place).map(bare),
                None => value_of(Parts::of(named?), name, ':'),
            };
        }
        match place {
            Some(place) => parts
                .filter(|part| split(part, '=').is_none())
                .nth(place)
                .map(bare),
            None => value_of(parts, name, '='),
        }
    }
}

/// What the text of a list holds, without quotes.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    Parts::of(list).map(bare)
}

/// The value behind that name.
fn value_of<'a>(parts: Parts<'a>, name: &str, mark: char) -> Option<&'a str> {
    let mut pairs = parts.filter_map(|part| split(part, mark));
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

/// What stands between the outermost brackets, parted by commas.
struct Parts<'a>(&'a str);

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let inside = text.find(['(', '[', '{']).map_or("", |at| &text[at + 1..]);
        Self(inside)
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let mut depth = 0_u32;
        for (at, letter, is_plain) in Letters::of(self.0) {
            match letter {
                _ if !is_plain => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 0 => depth -= 1,
                ',' if depth == 0 => {
                    let part = &self.0[..at];
                    self.0 = &self.0[at + 1..];
                    return Some(part.trim());
                }
                ')' | ']' | '}' => {
                    let part = self.0[..at].trim();
                    self.0 = "";
                    return (!part.is_empty()).then_some(part);
                }
                _ => {}
            }
        }
        // A part that was cut off says nothing for sure.
        self.0 = "";
        None
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
    use super::CallText;

    const CALL: &str = r#"send(7, "a, b", user_id=42, to="x=1, y", deep={"user_id": 9})"#;
    const JSON: &str = r#"[[7,"a, b"],{"user_id":42,"to":"x=1, y","deep":{"user_id":9}}]"#;

    #[test]
    fn an_argument_is_found_by_its_name() {
        for text in [CALL, JSON] {
            assert_eq!(CallText(text).argument("user_id"), Some("42"), "{text}");
            assert_eq!(CallText(text).argument("to"), Some("x=1, y"), "{text}");
        }
    }

    #[test]
    fn an_argument_without_a_name_is_found_by_its_place() {
        for text in [CALL, JSON] {
            assert_eq!(CallText(text).argument("0"), Some("7"), "{text}");
            assert_eq!(CallText(text).argument("1"), Some("a, b"), "{text}");
            assert_eq!(CallText(text).argument("2"), None, "{text}");
        }
    }

    #[test]
    fn names_inside_of_values_are_no_arguments() {
        for text in [CALL, JSON, r#"send("user=1")"#, r#"[["user=1"],{}]"#] {
            assert_eq!(CallText(text).argument("user"), None, "{text}");
            assert_eq!(CallText(text).argument("y"), None, "{text}");
        }
    }

    #[test]
    fn text_that_was_cut_off_is_read_as_far_as_it_goes() {
        for end in 0..CALL.len() {
            let found = CallText(&CALL[..end]).argument("user_id");
            assert!(found.is_none() || found == Some("42"), "{end}: {found:?}");
        }
        for text in [
            "",
            "send",
            "send(",
            "[",
            "[[",
            "[[1]",
            "{}",
            "]]",
            "[[],{\"a\"",
        ] {
            assert_eq!(CallText(text).argument("a"), None, "{text}");
        }
    }

    #[test]
    fn quotes_within_quotes_end_nothing() {
        let text = r#"send(a="say \"x, b=2\"", b=3)"#;
        assert_eq!(CallText(text).argument("b"), Some("3"));
        assert_eq!(CallText(text).argument("a"), Some(r#"say \"x, b=2\""#));
    }
}
