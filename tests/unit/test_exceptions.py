"""What every exception of ours has in common."""

import copy
import pickle
from datetime import timedelta
from typing import Any

import pytest

import taskito
from taskito import exceptions
from taskito.exceptions import (
    Cancel,
    CircuitBreakerOpenError,
    ConfigurationError,
    CronError,
    DependencyError,
    DependencyFailedError,
    JobNotFoundError,
    LockNotAcquiredError,
    MaxRetriesExceededError,
    NoJobContextError,
    PayloadTooLargeError,
    QueueClosedError,
    QueueError,
    RateLimitExceededError,
    ResultTimeout,
    Retry,
    ScheduleNotFoundError,
    SchemaVersionError,
    SerializationError,
    SignatureError,
    Snooze,
    SoftTimeoutError,
    StorageError,
    TaskCancelledError,
    TaskFailedError,
    TaskitoError,
    TaskNotRegisteredError,
    TaskTimeoutError,
    WorkerLostError,
)

TREE: list[tuple[type[TaskitoError], tuple[type[BaseException], ...]]] = [
    (TaskitoError, (Exception,)),
    (TaskFailedError, (TaskitoError, RuntimeError)),
    (MaxRetriesExceededError, (TaskFailedError,)),
    (ResultTimeout, (TaskitoError, TimeoutError)),
    (TaskCancelledError, (TaskitoError, RuntimeError)),
    (DependencyFailedError, (TaskCancelledError, DependencyError)),
    (TaskTimeoutError, (TaskitoError, TimeoutError)),
    (SoftTimeoutError, (TaskitoError,)),
    (WorkerLostError, (TaskitoError, RuntimeError)),
    (SerializationError, (TaskitoError, TypeError)),
    (PayloadTooLargeError, (SerializationError, ValueError)),
    (SignatureError, (SerializationError, ValueError)),
    (QueueError, (TaskitoError,)),
    (JobNotFoundError, (QueueError, KeyError, RuntimeError, ValueError)),
    (DependencyError, (QueueError, RuntimeError, ValueError)),
    (TaskNotRegisteredError, (QueueError, KeyError)),
    (ScheduleNotFoundError, (QueueError, KeyError)),
    (LockNotAcquiredError, (QueueError, TimeoutError)),
    (QueueClosedError, (QueueError, RuntimeError)),
    (StorageError, (QueueError, RuntimeError)),
    (SchemaVersionError, (StorageError,)),
    (ConfigurationError, (TaskitoError, ValueError)),
    (CronError, (ConfigurationError,)),
    (NoJobContextError, (TaskitoError, RuntimeError)),
    (CircuitBreakerOpenError, (TaskitoError,)),
    (RateLimitExceededError, (TaskitoError,)),
    (Retry, (TaskitoError,)),
    (Snooze, (TaskitoError,)),
    (Cancel, (TaskitoError,)),
]
CONTROLS: list[type[TaskitoError]] = [Retry, Snooze, Cancel]
ERRORS = [kind for kind, _ in TREE if kind not in CONTROLS]


class TestInherit:
    def test_the_tree_below_is_whole(self) -> None:
        assert sorted(kind.__name__ for kind, _ in TREE) == sorted(exceptions.__all__)

    @pytest.mark.parametrize(("kind", "bases"), TREE)
    def test_each_has_the_documented_bases(
        self, kind: type[TaskitoError], bases: tuple[type[BaseException], ...]
    ) -> None:
        assert kind.__bases__ == bases

    def test_the_drawn_tree_names_every_class(self) -> None:
        drawing = exceptions.__doc__ or ""
        assert all(kind.__name__ in drawing for kind, _ in TREE)

    def test_every_class_is_exported_by_the_package(self) -> None:
        assert set(exceptions.__all__) <= set(taskito.__all__)


@pytest.mark.parametrize("kind", ERRORS)
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
    @pytest.mark.parametrize("kind", ERRORS)
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_message_and_hint_survive(self, kind: type[TaskitoError], protocol: int) -> None:
        copy = pickle.loads(pickle.dumps(kind("it broke", hint="mend it"), protocol))
        assert type(copy) is kind
        assert str(copy) == "it broke\nhint: mend it"

    @pytest.mark.parametrize(
        ("error", "facts"),
        [
            (
                MaxRetriesExceededError(
                    "m",
                    job_id="j",
                    task_name="t",
                    error="e",
                    attempts=2,
                    exception_type="ValueError",
                ),
                {
                    "job_id": "j",
                    "task_name": "t",
                    "error": "e",
                    "attempts": 2,
                    "exception_type": "ValueError",
                },
            ),
            (
                ResultTimeout("m", job_id="j", status="pending"),
                {"job_id": "j", "status": "pending"},
            ),
            (DependencyFailedError("m", job_id="j", root_id="r"), {"job_id": "j", "root_id": "r"}),
            (SchemaVersionError("m", path="x.db"), {"path": "x.db"}),
            (Retry(1.5, "why"), {"delay": 1.5, "delay_ms": 1500, "reason": "why"}),
            (Retry(), {"delay": None, "delay_ms": None, "reason": None}),
            (Snooze(2, "why"), {"seconds": 2, "delay_ms": 2000, "reason": "why"}),
            (Cancel("why"), {"reason": "why"}),
        ],
        ids=repr,
    )
    def test_facts_survive(self, error: TaskitoError, facts: dict[str, Any]) -> None:
        for kept in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert vars(kept) == {"hint": None, **facts}
            assert str(kept) == str(error)

    @pytest.mark.parametrize("kind", ERRORS)
    def test_a_note_survives(self, kind: type[TaskitoError]) -> None:
        error = kind("it broke")
        error.add_note("in the cellar")
        assert pickle.loads(pickle.dumps(error)).__notes__ == ["in the cellar"]


class TestControl:
    """``Retry``, ``Snooze`` and ``Cancel``: what a task says when it raises them."""

    def test_a_reason_is_the_message(self) -> None:
        assert str(Retry(reason="busy")) == str(Snooze(1, "busy")) == str(Cancel("busy")) == "busy"

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (Retry(), "retry requested by task"),
            (Snooze(1), "snoozed by task"),
            (Cancel(), "cancelled by task"),
        ],
    )
    def test_without_a_reason_the_message_says_what_happened(
        self, error: TaskitoError, message: str
    ) -> None:
        assert str(error) == message

    def test_durations_may_be_timedeltas(self) -> None:
        day = timedelta(days=1)
        assert Retry(day).delay_ms == Snooze(day).delay_ms == 86_400_000
        assert Retry(day).delay == Snooze(day).seconds == day

    def test_a_moment_that_has_passed_is_now(self) -> None:
        assert Retry(-3).delay_ms == Snooze(-0.5).delay_ms == 0
        assert Retry(-3).delay == -3

    @pytest.mark.parametrize("value", ["1", True, [1], object()])
    def test_a_duration_must_be_one(self, value: Any) -> None:
        with pytest.raises(TypeError, match="delay must be seconds"):
            Retry(value)
        with pytest.raises(TypeError, match="seconds must be seconds"):
            Snooze(value)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
    def test_a_duration_must_be_finite(self, value: float) -> None:
        with pytest.raises(ValueError, match="delay"):
            Retry(value)
        with pytest.raises(ValueError, match="seconds"):
            Snooze(value)

    def test_a_snooze_needs_a_duration(self) -> None:
        with pytest.raises(TypeError, match="seconds"):
            Snooze()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        with pytest.raises(TypeError, match="seconds must be seconds"):
            Snooze(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_a_reason_must_be_text(self) -> None:
        wrong: Any = ValueError("x")
        for make in (lambda: Retry(1, wrong), lambda: Snooze(1, wrong), lambda: Cancel(wrong)):
            with pytest.raises(TypeError, match="reason must be a str"):
                make()
