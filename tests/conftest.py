"""What all tests rely on."""

import signal


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start.

    A shell that runs a command in the background makes it ignore SIGINT, and whatever that
    command starts ignores it too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
