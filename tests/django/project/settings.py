"""Everything lies in the folder that ``PROJECT_HOME`` names."""

import os
from pathlib import Path

HOME = Path(os.environ["PROJECT_HOME"])
SECRET_KEY = "for tests alone"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
USE_TZ = True
ROOT_URLCONF = "tests.django.project.urls"
WSGI_APPLICATION = "tests.django.project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "taskito.contrib.django",
    "tests.django.project.shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "shop.sqlite3",
        "OPTIONS": {"timeout": 20},
        "TEST": {"NAME": HOME / "test.sqlite3"},
    }
}
TASKITO_DB_PATH = HOME / "taskito.db"
TASKITO_WORKERS = 2
TASKITO_DRAIN_TIMEOUT = 5
_BACKEND = "taskito.contrib.django.backend.TaskitoBackend"
TASKS = {
    "default": {"BACKEND": _BACKEND, "QUEUES": ["default", "mail"]},
    "quick": {
        "BACKEND": _BACKEND,
        "QUEUES": [],
        "OPTIONS": {"max_retries": 0, "timeout": 1, "ENQUEUE_ON_COMMIT": False},
    },
    "apart": {
        "BACKEND": _BACKEND,
        "QUEUES": [],
        "OPTIONS": {"db_path": HOME / "apart.db", "result_ttl": 60},
    },
}
