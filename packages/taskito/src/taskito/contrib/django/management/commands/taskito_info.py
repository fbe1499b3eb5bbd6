"""``manage.py taskito_info``: how many jobs there are."""

from taskito.cli import _info
from taskito.contrib.django.management._project import TaskitoCommand


class Command(TaskitoCommand):
    """Prints how many jobs there are in each status."""

    help = "Show how many background jobs there are."
    register = staticmethod(_info.register)
