"""What the shop answers."""
# ruff: noqa: TID252 - a site is imported from its own folder

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .models import Order
from .tasks import write_letter


@csrf_exempt  # it is asked with curl, which has no form
@require_POST
@transaction.atomic
def place(request: HttpRequest) -> JsonResponse:
    """Keep an order and enqueue its letter: both when the transaction commits, or neither."""
    order = Order.objects.create(item=request.POST["item"], email=request.POST["email"])
    order.task = write_letter.enqueue(order.pk).id
    order.save()
    return JsonResponse({"order": order.pk, "url": reverse("order", args=[order.pk])}, status=202)


def show(_request: HttpRequest, number: int) -> JsonResponse:
    """Say how far an order is."""
    order = get_object_or_404(Order, pk=number)
    result = write_letter.get_result(order.task)
    return JsonResponse(
        {"item": order.item, "task": result.status, "attempts": result.attempts}
        | ({"letter": result.return_value} if result.status == "SUCCESSFUL" else {})
    )
