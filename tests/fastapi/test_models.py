"""The models of the answers: their names, their fields, what a field is when it is not given."""

import pytest
from pydantic import BaseModel, ValidationError

from taskito.contrib import fastapi

MODELS = {
    "StatsResponse": "pending=0 running=0 completed=0 failed=0 dead=0 cancelled=0",
    "JobResponse": (
        "id queue task_name status priority progress=None retry_count max_retries created_at "
        "scheduled_at started_at=None completed_at=None error=None timeout_ms unique_key=None "
        "metadata=None"
    ),
    "JobErrorResponse": "id job_id attempt error failed_at",
    "JobResultResponse": "id status result=None error=None",
    "CancelResponse": "cancelled",
    "DeadLetterResponse": (
        "id original_job_id queue task_name error=None retry_count failed_at metadata=None"
    ),
    "RetryResponse": "new_job_id",
}


@pytest.mark.parametrize("name", MODELS)
def test_fields_and_defaults_are_those_documented(name: str) -> None:
    model = getattr(fastapi, name)
    assert issubclass(model, BaseModel)
    assert name in fastapi.__all__
    fields = [
        field if info.is_required() else f"{field}={info.default}"
        for field, info in model.model_fields.items()
    ]
    assert " ".join(fields) == MODELS[name]


def test_a_count_is_a_number() -> None:
    with pytest.raises(ValidationError, match="pending"):
        fastapi.StatsResponse(pending="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
