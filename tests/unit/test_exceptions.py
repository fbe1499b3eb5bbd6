"""What every exception of ours has in common."""

import pickle

import pytest

import taskito
from taskito import exceptions
from taskito.exceptions import (
    ConfigurationError,
    JobNotFoundError,
    MaxRetriesExceededError,
    PayloadTooLargeError,
    QueueClosedError,
    ResultTimeout,
    SchemaVersionError,
    SerializationError,
    StorageError,
    TaskCancelledError,
    TaskFailedError,
    TaskitoError,
)

ALL = [getattr(exceptions, name) for name in exceptions.__all__]


class TestInherit:
    @pytest.mark.parametrize(
        ("kind", "bases"),
        [
            (TaskFailedError, (RuntimeError,)),
            (MaxRetriesExceededError, (TaskFailedError,)),
            (ResultTimeout, (TimeoutError,)),
            (TaskCancelledError, (RuntimeError,)),
            (SerializationError, (TypeError,)),
            (PayloadTooLargeError, (SerializationError, ValueError)),
            (JobNotFoundError, (KeyError, RuntimeError, ValueError)),
            (QueueClosedError, (RuntimeError,)),
            (StorageError, (RuntimeError,)),
            (SchemaVersionError, (StorageError,)),
            (ConfigurationError, (ValueError,)),
        ],
    )
    def test_each_is_also_the_builtin_people_expect(
        self, kind: type[TaskitoError], bases: tuple[type, ...]
    ) -> None:
        assert all(issubclass(kind, base) for base in bases)

    def test_the_drawn_tree_names_every_class(self) -> None:
        drawing = exceptions.__doc__ or ""
        assert all(kind.__name__ in drawing for kind in ALL)

    def test_every_class_is_exported_by_the_package(self) -> None:
        assert set(exceptions.__all__) <= set(taskito.__all__)


@pytest.mark.parametrize("kind", ALL)
class TestPrint:
    def test_str_is_the_message(self, kind: type[TaskitoError]) -> None:
        error = kind("it broke")
        assert str(error) == "it broke"
        assert error.hint is None

    def test_a_hint_has_a_line_of_its_own(self, kind: type[TaskitoError]) -> None:
        assert str(kind("it broke", hint="mend it")) == "it broke\nhint: mend it"

    def test_a_message_is_not_needed(self, kind: type[TaskitoError]) -> None:
        assert str(kind()) == ""


class TestPickle:
    @pytest.mark.parametrize("kind", ALL)
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_message_and_hint_survive(self, kind: type[TaskitoError], protocol: int) -> None:
        copy = pickle.loads(pickle.dumps(kind("it broke", hint="mend it"), protocol))
        assert type(copy) is kind
        assert str(copy) == "it broke\nhint: mend it"

    def test_facts_survive(self) -> None:
        error = MaxRetriesExceededError(
            "m", job_id="j", task_name="t", error="e", attempts=2, exception_type="ValueError"
        )
        assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
        timeout = ResultTimeout("m", job_id="j", status="pending")
        assert vars(pickle.loads(pickle.dumps(timeout))) == vars(timeout)
        storage = SchemaVersionError("m", path="x.db")
        assert pickle.loads(pickle.dumps(storage)).path == "x.db"
