"""The Flask extension under the name that all integrations have; see ``taskito_flask``."""

try:
    from taskito_flask import Taskito
except ModuleNotFoundError as error:
    if error.name not in {"taskito_flask", "flask"}:
        raise
    message = "the Flask extension is a package of its own, taskito-flask, and is not installed"
    raise ImportError(f"{message}\nhint: pip install 'taskito[flask]'") from None

__all__ = ["Taskito"]
