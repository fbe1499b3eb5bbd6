"""What happens after the answer. ``taskito_worker`` finds it because it is called tasks."""
# ruff: noqa: TID252 - a site is imported from its own folder

try:
    from django.tasks import task  # Django 6.0 and later
except ModuleNotFoundError:
    from django_tasks import task  # type: ignore[no-redef]

from taskito import current_job

from .models import Order


@task
def write_letter(number: int) -> str:
    """Write the letter of an order, for those in doubt at the second attempt."""
    order = Order.objects.get(pk=number)
    if "doubt" in order.item and current_job.attempt == 1:
        raise ConnectionError("the printer is out of paper")
    order.letter = f"Dear {order.email}, your {order.item} is on its way."
    order.save()
    return order.letter
