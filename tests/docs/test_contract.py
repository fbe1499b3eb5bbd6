"""The page of promises is true: made from its source, with tests that exist."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def contract() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contract", ROOT / "docs" / "contract.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_its_source() -> None:
    made = contract().page(contract().items())
    assert made == (ROOT / "docs" / "contract.md").read_text(), "run python docs/contract.py"


def test_every_promise_has_a_test_that_exists() -> None:
    tests_in, wrong = contract().tests_in, []
    for section, promises in contract().items().items():
        for promise, tests in promises.items():
            if not tests:
                wrong.append(f"{section}: {promise}: no test")
            for test in tests:
                path, _, name = test.partition("::")
                if not (ROOT / path).is_file() or name not in tests_in(ROOT / path):
                    wrong.append(f"{section}: {promise}: there is no {test}")
    assert not wrong, "\n".join(wrong)
