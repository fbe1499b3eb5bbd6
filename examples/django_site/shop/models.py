"""What is sold."""

from django.db import models


class Order(models.Model):
    """An order, the letter that confirms it, and the id of the task that writes it."""

    item: "models.CharField[str, str]" = models.CharField(max_length=100)
    email: "models.EmailField[str, str]" = models.EmailField()
    letter: "models.TextField[str, str]" = models.TextField(blank=True)
    task: "models.CharField[str, str]" = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        """Show what was ordered."""
        return self.item
