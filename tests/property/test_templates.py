"""What messages of one kind have in common, whatever the messages are."""

import time
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskito._template import template_of

_PIECES = st.sampled_from(
    [
        *("7", "12.5", "-3", "'", '"', "`", "/", "\\", "~", ".", "@", "{", "}"),
        *("{N}", "{str}", "\n"),
        *("a", "deadbeef", "0x7f3a", "ann@example.com", "/tmp/x", "C:\\a", " ", "é", "٣", "-", "_"),
        *("123e4567-e89b-12d3-a456-426614174000", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "it's"),
    ]
)
_MESSAGES = st.one_of(st.text(), st.text(printable), st.lists(_PIECES).map("".join))


@given(_MESSAGES)
def test_a_template_of_a_template_is_the_same(message: str) -> None:
    once = template_of(message)
    assert template_of(once) == once


@given(_MESSAGES)
def test_no_digit_is_left_and_it_is_short(message: str) -> None:
    template = template_of(message)
    assert not any(letter.isdecimal() for letter in template)
    assert len(template) <= 300


@given(st.text("ab :", max_size=20), st.integers(), st.integers(), st.uuids(), st.uuids())
def test_messages_that_differ_in_values_alone_have_one_template(
    text: str, one: int, other: int, first: object, second: object
) -> None:
    assert template_of(f"{text} {abs(one)}, {first}") == template_of(
        f"{text} {abs(other)}, {second}"
    )


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("SMTP timeout talking to mx2.example.com", "SMTP timeout talking to mx{N}.example.com"),
        ("cannot identify image file '/tmp/a.png'", "cannot identify image file {str}"),
        ("[Errno 2] No such file: /srv/app/x.txt", "[Errno {N}] No such file: {path}"),
        ("no user ann+x@example.com here", "no user {mail} here"),
        ("<Foo object at 0x7f12ab>", "<Foo object at {hex}>"),
        ("commit 9f86d081884c failed", "commit {hex} failed"),
        ("id 123e4567-e89b-12d3-a456-426614174000 is gone", "id {uuid} is gone"),
        ("it isn't there, they don't know", "it isn't there, they don't know"),
        ("read and/or write", "read and/or write"),
        ("", ""),
    ],
)
def test_what_differs_becomes_a_word_for_its_kind(message: str, template: str) -> None:
    assert template_of(message) == template


@pytest.mark.parametrize(
    "piece", ["'", "a@", "/", "0x", "-", "aaaaaaaa-", "{", "a.", "~", "9", "'a'b", '"\n', "a+b"]
)
def test_a_hostile_message_of_a_megabyte_takes_no_longer_than_a_long_one(piece: str) -> None:
    begin = time.process_time()
    template_of(piece * (2**20 // len(piece)))
    assert time.process_time() - begin < 2, "it took time that grows with the message"
