"""An order is stored and confirmed later; and what a test asks a server process."""

import os
import threading
from pathlib import Path

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from tests.django.project.shop.models import Order
from tests.django.project.shop.tasks import confirm
from tests.django.project.tasks_api import default_task_backend


@csrf_exempt
def order(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        with transaction.atomic():
            placed = Order.objects.create(customer=request.POST["customer"])
            result = confirm.enqueue(placed.pk)
        return JsonResponse({"order": placed.pk, "result": result.id})
    result = default_task_backend.get_result(request.GET["result"])
    return JsonResponse({"status": result.status, "attempts": result.attempts})


async def order_later(request: HttpRequest) -> JsonResponse:
    placed = await Order.objects.acreate(customer=request.GET["customer"])
    result = await confirm.aenqueue(placed.pk)
    return JsonResponse({"order": placed.pk, "result": result.id})


def process(_request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "pid": os.getpid(),
            "threads": [thread.name for thread in threading.enumerate()],
            "files": files_of("self"),
            "files of the parent": files_of(os.getppid()),
        }
    )


def files_of(process: int | str) -> list[str]:
    """What a process has open."""
    descriptors = list(Path(f"/proc/{process}/fd").iterdir())
    return [str(fd.readlink()) for fd in descriptors if fd.is_symlink()]
