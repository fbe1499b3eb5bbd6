"""The web page under the name it had when it was part of this package."""

try:
    from taskito_dashboard import make_handler as _make_handler
    from taskito_dashboard import serve_dashboard
except ModuleNotFoundError as error:
    if error.name != "taskito_dashboard":
        raise
    message = "the web page is a package of its own, taskito-dashboard, and is not installed"
    raise ImportError(f"{message}\nhint: pip install 'taskito[dashboard]'") from None

__all__ = ["_make_handler", "serve_dashboard"]
