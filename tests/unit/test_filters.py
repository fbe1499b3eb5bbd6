"""The filter line: what can be written, what it says, and what is refused."""

import pytest

from taskito.filters import FIELDS, STATES, Filter, FilterError, Term

WHOLE = (
    "state:dead,retrying task:send_* -queue:emails args.user_id:42 "
    'error:"SMTP timeout" tag:eu worker:vm age>1h run<5s id:01a2 fp:12ab word'
)


class TestParse:
    def test_a_line_is_read_term_by_term(self) -> None:
        terms = Filter.parse(WHOLE).terms
        assert terms[0] == Term(field="state", sign=":", values=("dead", "retrying"))
        assert terms[2] == Term(field="queue", sign=":", values=("emails",), denied=True)
        assert terms[3] == Term(field="args.user_id", sign=":", values=("42",))
        assert terms[4] == Term(field="error", sign=":", values=("SMTP timeout",))
        assert terms[7] == Term(field="age", sign=">", values=("1h",))
        assert terms[10] == Term(field="fp", sign=":", values=("12ab",))
        assert terms[11] == Term(field="", sign=":", values=("word",))

    def test_an_empty_line_means_all_jobs(self) -> None:
        assert Filter.parse(" \t ") == Filter()
        assert Filter().in_words() == "all jobs"

    def test_a_quoted_text_may_hold_anything(self) -> None:
        found = Filter.parse(r'task:"a, \"b\" \\ c","-d" "state:dead" -"-x"')
        assert found.terms[0].values == ('a, "b" \\ c', "-d")
        assert found.terms[1] == Term(field="", sign=":", values=("state:dead",))
        assert found.terms[2] == Term(field="", sign=":", values=("-x",), denied=True)
        assert Filter.parse(str(found)) == found

    def test_ids_are_read_in_any_case(self) -> None:
        assert Filter.parse("id:01AB").terms[0].values == ("01ab",)
        assert Filter.parse("fp:01AB,c*,*").terms[0].values == ("01ab", "c*", "*")

    @pytest.mark.parametrize("state", STATES)
    def test_each_state_is_known(self, state: str) -> None:
        assert Filter.parse(f"state:{state}").terms[0].values == (state,)


class TestRefuse:
    @pytest.mark.parametrize(
        ("line", "position", "message", "hint"),
        [
            ("task:a http://b", 7, "unknown field 'http'", "quote a text that is none"),
            ("stat:dead", 0, "unknown field 'stat'", "did you mean 'state'"),
            ("args:3", 0, "unknown field 'args'", "args.user_id:42"),
            ("state:dea", 6, "unknown state 'dea'", "did you mean 'dead'"),
            ("age:1h", 0, "'age' is not compared with ':'", "write age>1h or age<1h"),
            ("task>1h", 0, "'task' is not compared with '>'", "write task:VALUE"),
            ("run>5s,6s", 4, "'run' has several values", "one value"),
            ("age>1y", 4, "'1y' is no duration", "250ms"),
            ("age>99999999999d", 4, "is no duration", "7d"),
            ("created>yesterday", 8, "'yesterday' is no instant", "2026-11-25T12:30"),
            ("created:2026-11-25", 0, "not compared with ':'", "created>2026-11-25"),
            ("fp:#7", 3, "'#7' is no group of failures", "up to 16 digits"),
            ("fp:0123456789abcdef0", 3, "is no group of failures", "how it begins"),
            ("state:", 6, "a value after 'state:' is missing", "text in quotes"),
            ("task:a,", 7, "a value after the comma is missing", "text in quotes"),
            ("-", 1, "a term is missing", "write a word"),
            ('task:"a', 5, "the quote has no end", "close it"),
            ('a"b', 1, "'\"' cannot stand here", "whole value in quotes"),
            (r'"a\b"', 2, "a backslash stands before something else", "for a backslash"),
            ("a\udcff", 1, "half a letter", "UTF-8"),
            ("a" * 10_001, 10_000, "10,001 letters is too long", "10,000"),
        ],
    )
    def test_a_mistake_is_told_with_its_place(
        self, line: str, position: int, message: str, hint: str
    ) -> None:
        with pytest.raises(FilterError) as caught:
            Filter.parse(line)
        assert message in str(caught.value)
        assert f"at position {position + 1} of the filter" in str(caught.value)
        assert caught.value.position == position
        assert hint in str(caught.value.hint)

    def test_only_text_is_a_line(self) -> None:
        with pytest.raises(TypeError, match="filter"):
            Filter.parse(5)  # type: ignore[arg-type]


class TestSay:
    def test_a_filter_is_said_in_words(self) -> None:
        said = Filter.parse(WHOLE).in_words()
        assert said.startswith("jobs where its state is dead or retrying and its task is send_*")
        assert "its queue is not emails" in said
        assert "its argument user_id is 42" in said
        assert "its error has the text “SMTP timeout”" in said
        assert "it ran shorter than 5s" in said

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("age>1h", "it is older than 1h"),
            ("-age>1h", "it is not older than 1h"),
            ("age<1h", "it is younger than 1h"),
            ("-age<1h", "it is not younger than 1h"),
            ("run>5s", "it ran longer than 5s"),
            ("-run>5s", "it did not run longer than 5s"),
            ("-run<5s", "it did not run shorter than 5s"),
            ("created>2026-01-02", "it was enqueued at or after 2026-01-02"),
            ("-created>2026-01-02", "it was enqueued before 2026-01-02"),
            ("created<2026-01-02", "it was enqueued before 2026-01-02"),
            ("-created<2026-01-02", "it was enqueued at or after 2026-01-02"),
            ("-tag:eu", "it does not have the tag eu"),
            ("-id:01a2", "its id does not begin with 01a2"),
            ("-error:no", "its error does not have the text “no”"),
            ("-word", "the text “word” stands nowhere in it"),
        ],
    )
    def test_each_comparison_and_its_denial_have_words(self, line: str, said: str) -> None:
        assert Filter.parse(line).in_words() == f"jobs where {said}"

    def test_what_the_engine_takes_has_milliseconds(self) -> None:
        compiled = Filter.parse("age>1.5h -run<250ms word").compiled()
        assert compiled == [
            ("age>", False, ["5400000"]),
            ("run<", True, ["250"]),
            ("text", False, ["word"]),
        ]

    def test_instants_are_utc_unless_they_say_otherwise(self) -> None:
        for text in ("2026-11-25", "2026-11-25T00:00", "2026-11-25T01:00:00.000+01:00"):
            compiled = Filter.parse(f"created>{text} -created<{text}").compiled()
            assert compiled == [
                ("created>", False, ["1795564800000"]),
                ("created<", True, ["1795564800000"]),
            ]
        assert "at or after 2026-11-25" in Filter.parse("created>2026-11-25").in_words()

    def test_terms_can_be_asked_for_removed_and_added(self) -> None:
        found = Filter.parse("state:dead task:a -queue:b")
        assert found.value_of("state") == "dead"
        assert found.value_of("queue") is None
        assert found.value_of("error") is None
        assert str(found.without("state")) == "task:a -queue:b"
        assert str(found.with_term("queue", "c d")) == 'state:dead task:a -queue:b queue:"c d"'
        assert found.with_term("task", "a") == found

    def test_every_field_is_described(self) -> None:
        import taskito.filters as module

        assert module.__doc__
        for field in FIELDS:
            assert f"``{field}" in module.__doc__
