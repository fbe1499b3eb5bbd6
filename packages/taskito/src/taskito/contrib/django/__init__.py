"""taskito in a Django project: settings, commands, admin pages and a backend for its tasks.

```python
INSTALLED_APPS += ["taskito.contrib.django"]
TASKITO_DB_PATH = BASE_DIR / "taskito.db"
TASKS = {"default": {"BACKEND": "taskito.contrib.django.backend.TaskitoBackend"}}
```

Importing this opens no file and starts no thread. A web process stores jobs and reads them;
``manage.py taskito_worker`` runs them. docs/django.md shows how.
"""

try:
    import django  # noqa: F401  # pyright: ignore[reportUnusedImport] - only whether it is there
except ModuleNotFoundError as error:
    if error.name != "django":
        raise
    message = "taskito.contrib.django needs Django, which is not installed"
    raise ImportError(f"{message}\nhint: pip install 'taskito[django]'", name="django") from None
