"""``flask taskito``: the ``taskito`` commands with the queue of the application."""

import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING

import click
from flask.cli import ScriptInfo

from taskito import TaskitoError
from taskito_flask.state import state_of

if TYPE_CHECKING:
    from taskito import Queue


class PassThrough(click.Command):
    """A command that takes whatever follows it as it is, ``--help`` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments."""
        ctx.args = list(args)
        return []


def taskito_command(name: str) -> click.Command:
    """Return the command under a name of its own."""

    def command() -> None:
        from taskito.cli.hosting import Host, run_hosted  # noqa: PLC0415 - as below

        context = click.get_current_context()
        words = [name, *context.args]
        code = run_hosted(
            context.args,
            Host(
                prog=context.command_path,
                app_help="Flask's own; also between 'flask' and the command, else FLASK_APP",
                find_queue=partial(_found, context.ensure_object(ScriptInfo)),
            ),
            # A test that calls the command in its own process has other arguments.
            ends_process=sys.argv[-len(words) :] == words,
        )
        context.exit(code)

    return PassThrough(
        name,
        callback=command,
        help="Look after the jobs of the application: worker, info, jobs, dead, ...",
        add_help_option=False,
    )


def _found(script: "ScriptInfo", app: str | None) -> "Queue":
    """Return the queue of the application that Flask would run, or that ``app`` names.

    Raises:
        Failure: If it cannot be made, or has no queue.
    """
    from taskito.cli.hosting import Failure  # noqa: PLC0415 - web processes have no use for it

    try:
        found = (script if app is None else ScriptInfo(app_import_path=app)).load_app()
    except (click.ClickException, TaskitoError):
        raise  # they say by themselves what to do
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = f"the application cannot be loaded: {type(error).__name__}: {error}"
        raise Failure(message, hint=f"raised at {last.filename}:{last.lineno}") from error
    try:
        return state_of(found).queue
    except RuntimeError as error:
        message, _, hint = str(error).partition("\nhint: ")
        raise Failure(message, hint=hint) from None


cli = taskito_command("taskito")
"""What the entry point in the group ``flask.commands`` loads."""
