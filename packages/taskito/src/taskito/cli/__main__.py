"""``python -m taskito.cli`` is the ``taskito`` command."""

from taskito.cli import main

if __name__ == "__main__":
    main()
