"""A task of the backend: Django's, with settings of its own for its jobs."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from taskito.contrib.django._interface import AnyTask, InvalidTask
from taskito.contrib.django._options import CHECKS_OF_JOBS

if TYPE_CHECKING:
    from taskito._checks import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskitoTask(AnyTask):
    """What ``@task(max_retries=5, timeout=60)`` makes of a function.

    Django 6.0, alone of all versions, lets no backend take settings there.

    Attributes:
        max_retries: Retries after the first attempt. ``None`` leaves this, like the others, to
            ``OPTIONS`` of the backend.
        timeout: Seconds one attempt may take; 0 is no limit.
        result_ttl: Seconds for which its jobs are kept when they have finished.
    """

    max_retries: int | None = None
    timeout: "Seconds | None" = None
    result_ttl: "Seconds | None" = None

    def using(
        self,
        *,
        max_retries: int | None = None,
        timeout: "Seconds | None" = None,
        result_ttl: "Seconds | None" = None,
        **changes: Any,
    ) -> AnyTask:
        """Return the task with other settings: these, or those of Django's tasks.

        Raises:
            InvalidTask: For a value that cannot work.
        """
        ours = {"max_retries": max_retries, "timeout": timeout, "result_ttl": result_ttl}
        given: dict[str, Any] = {name: value for name, value in ours.items() if value is not None}
        # A class with slots is made twice, and super() would look for the first one.
        return replace(AnyTask.using(self, **changes), **given)


def check_settings(task: AnyTask) -> None:
    """Refuse a task with settings that cannot work; a plain one has none.

    Raises:
        InvalidTask: If there is one; the message names it and the task.
    """
    for name, check in CHECKS_OF_JOBS.items():
        try:
            check(f"{name} of task {task.module_path!r}", getattr(task, name, None))
        except (TypeError, ValueError) as error:
            raise InvalidTask(str(error)) from error
