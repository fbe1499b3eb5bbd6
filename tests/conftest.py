"""What all tests rely on."""

import signal
from contextlib import suppress


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start.

    A shell that runs a command in the background makes it ignore SIGINT, and whatever that
    command starts ignores it too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# Not installed beside the oldest frameworks. How long an example takes, a machine decides.
with suppress(ModuleNotFoundError):
    from hypothesis import HealthCheck, settings

    settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy")
