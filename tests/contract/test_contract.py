"""Every promise has a test that exists, and the page of promises is what they are."""

from pathlib import Path

import pytest

from tests.contract.table import PAGE, ROOT, Item, exists, items, page, path_of

ITEMS = items()


def test_every_promise_has_a_proof() -> None:
    assert [item.says for item in ITEMS if not item.proof] == []


def test_every_test_that_is_named_exists() -> None:
    named = {test for item in ITEMS for test in item.proof}
    assert sorted(test for test in named if not exists(test)) == []


def test_no_promise_is_made_twice_and_each_is_one_sentence() -> None:
    said = [(item.section, item.says) for item in ITEMS]
    assert len(set(said)) == len(said)
    for item in ITEMS:
        assert len(item.says) <= 240, item.says
        assert not item.says.endswith("."), item.says


def test_no_promise_is_forgotten() -> None:
    """A part of the product without a single promise is a file that was lost."""
    parts = {int(item.section.partition(".")[0]) for item in ITEMS}
    assert parts >= {*range(23)}
    assert len(ITEMS) > 350


def test_the_page_is_what_the_promises_say() -> None:
    message = "write it anew: python -m tests.contract.table"
    assert PAGE.read_text() == page(ITEMS), message


class TestChecks:
    """The checks above notice what they should."""

    @pytest.mark.parametrize(
        "test",
        [
            "contract/test_contract.py::test_every_promise_has_a_proof",
            "contract/test_contract.py::TestChecks::test_a_test_is_known_by_its_name",
            "django/project/shop/cases_actions.py::Act::test_a_dead_letter_is_retried",
            "packages/taskito-core/tests/contract/breaker.rs::a_probe_that_succeeds_closes_it",
            "packages/taskito-core/tests/janitor.rs::late_jobs_expire_in_portions",
        ],
    )
    def test_a_test_is_known_by_its_name(self, test: str) -> None:
        assert exists(test)
        assert (ROOT / path_of(test)).is_file()

    @pytest.mark.parametrize(
        "test",
        [
            "contract/test_contract.py::test_nothing",
            "contract/test_contract.py::test_a_test_is_known_by_its_name",
            "django/project/shop/cases_actions.py::Act::test_a_dead_letter_is_eaten",
            "contract/no_such_file.py::test_every_promise_has_a_proof",
            "packages/taskito-core/tests/contract/breaker.rs::hunger",
            "packages/taskito-core/tests/contract/breaker.rs::state",
        ],
    )
    def test_another_name_is_not_one(self, test: str) -> None:
        assert not exists(test)

    def test_a_file_of_promises_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "part.toml").write_text(
            '["3.10"]\ntitle = "Late"\n["3.10".2]\n"b" = ["x.py::test"]\n'
            '["3.2"]\ntitle = "Early"\n["3.2".1]\n"a|c" = []\n'
        )
        early = Item(section="3.2", title="Early", tier=1, says="a|c", proof=())
        late = Item(section="3.10", title="Late", tier=2, says="b", proof=("x.py::test",))
        assert items(tmp_path) == [early, late]
        text = page([early, late])
        assert "| 3.2 | a\\|c | 1 |  |" in text
        assert "| 3.10 | b | 2 | [`x.py::test`](../tests/x.py) |" in text
