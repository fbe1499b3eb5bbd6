"""What a server loads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django.project.settings")
application = get_wsgi_application()

if "PROJECT_USES_THE_QUEUE_BEFORE_FORKING" in os.environ:
    from taskito.contrib.django.settings import get_queue

    get_queue().stats()
