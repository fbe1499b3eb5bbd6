"""What an integration says when the packages of its extra are not installed."""


def missing(subject: str, package: str, extra: str) -> ImportError:
    """Return the error for something that cannot be used without an extra."""
    message = f"{subject} needs {package}, which is not installed"
    return ImportError(f"{message}\nhint: pip install 'taskito[{extra}]'", name=package)
