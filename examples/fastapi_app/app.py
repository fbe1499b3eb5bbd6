"""A web application that leaves slow reports to a worker and shows how far they are."""

import time

from fastapi import FastAPI, Request, Response

from taskito import Queue, current_job
from taskito.contrib.fastapi import JobRef, QueueDep, TaskitoRouter, taskito_lifespan

queue = Queue("reports.db")


@queue.task(name="report")
def report(months: int) -> dict[str, int]:
    """Add up the sales of some months. What takes the time here is a nap."""
    sales: dict[str, int] = {}
    for month in range(1, months + 1):
        current_job.check_cancelled()
        time.sleep(0.2)
        sales[f"2026-{month:02}"] = month * 1000
        current_job.update_progress(100 * month // months)
        current_job.log(f"added up month {month} of {months}")
    return {**sales, "total": sum(sales.values())}


app = FastAPI(title="Reports", lifespan=taskito_lifespan(queue))
app.include_router(TaskitoRouter(queue), prefix="/tasks")


@app.post("/reports", status_code=202)
async def order_report(
    queue: QueueDep, request: Request, response: Response, months: int = 12
) -> JobRef:
    """Order a report. ``Location`` is where to ask for it."""
    job = await queue.aenqueue("report", (months,))
    response.headers["Location"] = str(request.url_for("taskito_get_job", job_id=job.id))
    return JobRef.of(job)
