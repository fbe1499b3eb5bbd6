"""Values as trees: what previews and JSON show."""

import pytest

from taskito_dashboard.tree import Node, of_call, of_json, of_literal


def flat(parts: tuple[Node, ...] | None) -> list[str]:
    """Each node with its path, as ``a.b: text``."""
    found: list[str] = []
    for node in parts or ():
        found.append(f"{node.name}: {node.text}")
        found += [f"{node.name}.{part}" for part in flat(node.parts)]
    return found


def test_arguments_are_told_by_place_and_by_name() -> None:
    assert flat(of_call("42, 'a b', to=['ana', 'bo'], extra={'deep': {'x': 1}, 2: None}")) == [
        "0: 42",
        "1: 'a b'",
        "to: […] 2",
        "to.0: 'ana'",
        "to.1: 'bo'",
        "extra: {…} 2",
        "extra.deep: {…} 1",
        "extra.deep.x: 1",
        "extra.2: None",
    ]


def test_what_is_hidden_stays_hidden_and_does_not_hide_the_rest() -> None:
    assert flat(of_call("user=1, password=***, note='*** of ***', **{'a': ***}")) == [
        "user: 1",
        "password: ***",
        "note: '*** of ***'",
        "**: {…} 1",
        "**.a: ***",
    ]


def test_what_is_written_as_a_call_is_one_line_if_it_is_short() -> None:
    long = "Order(customer='somebody with a long name', lines=[1, 2, 3], note='fragile')"
    assert flat(of_call(f"datetime.date(2026, 8, 1), Path('x'), {long}")) == [
        "0: datetime.date(2026, 8, 1)",
        "1: Path('x')",
        "2: Order(…)",
        "2.customer: 'somebody with a long name'",
        "2.lines: […] 3",
        *(f"2.lines.{place}: {place + 1}" for place in range(3)),
        "2.note: 'fragile'",
    ]


@pytest.mark.parametrize("preview", ["1, 2, …", "<Shop>", "'cut", "a b", "[" * 200, "\x00"])
def test_what_is_cut_or_no_python_has_no_tree(preview: str) -> None:
    assert not of_call(preview)
    assert not of_literal(preview)


def test_a_value_without_parts_has_no_tree() -> None:
    for text in ("42", "'x'", "[]", "{}", "()"):
        assert of_literal(text) is None
    for json in ("42", "[]", "{}", "null", "", None, "{", "NaN"):
        assert of_json(json) is None


def test_json_has_the_same_tree() -> None:
    assert flat(of_json('{"é": [1, {"b": "x"}], "c": {}}')) == [
        "é: […] 2",
        "é.0: 1",
        "é.1: {…} 1",
        'é.1.b: "x"',
        "c: {}",
    ]


def test_very_deep_values_end_in_text() -> None:
    deep = "[" * 20 + "1" + "]" * 20
    assert flat(of_literal(deep))[-1].endswith(f": {'[' * 12}1{']' * 12}")
    assert flat(of_json(deep))[-1].endswith(f": {'[' * 12}1{']' * 12}")
