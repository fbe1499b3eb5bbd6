"""What is sold."""

from django.db import models


class Order(models.Model):
    """An order, and whether it was confirmed."""

    customer: "models.CharField[str, str]" = models.CharField(max_length=100)
    is_confirmed: "models.BooleanField[bool, bool]" = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.customer
