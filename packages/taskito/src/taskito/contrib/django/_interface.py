"""The tasks framework of the project: Django's own, else the ``django-tasks`` package.

Both have the same names but for two exceptions, and the same behaviour.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from django.tasks import task_backends
    from django.tasks.backends.base import BaseTaskBackend
    from django.tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
    from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch
    from django.tasks.signals import task_enqueued, task_finished, task_started
    from django.utils.json import normalize_json

    AnyTask: TypeAlias = Task[..., Any]
    AnyContext: TypeAlias = TaskContext[..., Any]
    AnyResult: TypeAlias = TaskResult[..., Any]
else:
    try:
        from django.tasks import task_backends
    except ModuleNotFoundError as error:
        if error.name != "django.tasks":
            raise
        try:
            from django_tasks import task_backends
            from django_tasks.backends.base import BaseTaskBackend
            from django_tasks.base import (
                Task,
                TaskContext,
                TaskError,
                TaskResult,
                TaskResultStatus,
            )
            from django_tasks.exceptions import (
                InvalidTaskError as InvalidTask,
            )
            from django_tasks.exceptions import (
                TaskResultDoesNotExist,
                TaskResultMismatch,
            )
            from django_tasks.signals import task_enqueued, task_finished, task_started
            from django_tasks.utils import normalize_json
        except ModuleNotFoundError as missing:
            if missing.name != "django_tasks":
                raise
            message = "this Django has no tasks, and the package django-tasks is not installed"
            hint = "pip install 'django-tasks>=0.12', or use Django 6.0 or later"
            raise ImportError(f"{message}\nhint: {hint}", name="django_tasks") from None
        if not hasattr(TaskResultStatus, "SUCCESSFUL"):
            message = "the installed django-tasks is older than 0.12"
            raise ImportError(
                f"{message}\nhint: pip install 'django-tasks>=0.12'", name="django_tasks"
            ) from None
    else:
        from django.tasks.backends.base import BaseTaskBackend
        from django.tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
        from django.tasks.exceptions import (
            InvalidTask,
            TaskResultDoesNotExist,
            TaskResultMismatch,
        )
        from django.tasks.signals import task_enqueued, task_finished, task_started
        from django.utils.json import normalize_json
    AnyTask, AnyContext, AnyResult = Task, TaskContext, TaskResult

__all__ = [
    "AnyContext",
    "AnyResult",
    "AnyTask",
    "BaseTaskBackend",
    "InvalidTask",
    "Task",
    "TaskContext",
    "TaskError",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskResultMismatch",
    "TaskResultStatus",
    "normalize_json",
    "task_backends",
    "task_enqueued",
    "task_finished",
    "task_started",
]
