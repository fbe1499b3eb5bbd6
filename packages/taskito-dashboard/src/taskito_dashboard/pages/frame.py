"""What all pages have around them, and how forms lead back to them."""

from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from taskito_dashboard.errors import Refused
from taskito_dashboard.routing import Call, moved
from taskito_dashboard.source import LETTERS_SHOWN
from taskito_dashboard.words import count

DEEDS = {
    "cancelled": "{n} cancelled. Running jobs are asked to end.",
    "hurried": "{n} due now.",
    "replayed": "{n} stored once more.",
    "retried": "{n} retried.",
    "deleted": "{n} removed.",
    "undone": "{n} taken back.",
    "paused": "Paused.",
    "resumed": "Resumed.",
    "silenced": "Silenced.",
    "resolved": "Resolved. The next failure opens it again.",
    "reopened": "Open again.",
    "drained": "The worker takes nothing more, finishes what runs, and leaves.",
    "limited": "Limits stored.",
    "triggered": "One job enqueued.",
    "continued": "{n} stored in a new workflow, which goes on where the other one failed.",
}
"""What a page says after a form, by the word in its address: never text of the address itself."""
UNDO_MS = 10_000
"""So long a page offers to take back what was done."""
_OPPOSITES = {"paused": "resume", "resumed": "pause"}
_OF_NOTICES = {"did", "n", "op", "of", "at"}


def page(call: Call, template: str, active: str, title: str, **facts: Any) -> Response:
    """Return a page with its frame.

    Args:
        call: The request.
        template: The file.
        active: The entry of the navigation it belongs to.
        title: Its name.
        facts: What the template shows.
    """
    letters = call.source.letters()
    return call.pages.render(
        call.request,
        template,
        active=active,
        title=title,
        now=call.source.now,
        badges={"failures": capped(letters) if letters else ""},
        notice=_notice(call),
        undo=_undo(call),
        frame=frame(call),
        **facts,
    )


def frame(call: Call) -> dict[str, Any]:
    """Return what every page knows about this dashboard."""
    return {
        "database": call.queue.db_path,
        "may_act": call.may_act,
        "has_login": call.guard.has_tokens,
        "is_open": call.guard.is_open,
        # Tasks that it can enqueue.
        "calls": call.queue._tasks if call.source.decodes else {},  # noqa: SLF001 - of our own packages
    }


def back(call: Call, *default: str, did: str, n: int = 1, **undo: object) -> Response:
    """Return to the page that a form names in ``back``, else to ``default``.

    Args:
        call: The request.
        default: The parts of the address to go to.
        did: What was done, one of :data:`DEEDS`.
        n: To how many.
        undo: What taking it back needs: ``op``, an operation, or ``of``, a queue.
    """
    target = call.request.form.get("back", "")
    if not is_ours(call.root, target):
        target = call.url(*default)
    path, _, query = target.partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.split("=")[0] not in _OF_NOTICES]
    told = urlencode({"did": did, "n": n, **undo, **({"at": call.source.now} if undo else {})})
    return moved(f"{path}?{'&'.join([*kept, told])}")


def sure(call: Call, what: str) -> None:
    """Refuse a form that removes or repeats many things and was not confirmed.

    Raises:
        Refused: With 400.
    """
    if call.request.form.get("sure") != "yes":
        raise Refused(400, f"not confirmed: {what}", "go back and tick the box beside the button")


def capped(letters: int) -> str:
    """Return a number that was counted up to a limit."""
    return count(letters) if letters <= LETTERS_SHOWN else f"{count(LETTERS_SHOWN)}+"


def _notice(call: Call) -> str | None:
    text = DEEDS.get(call.request.args.get("did", ""))
    number = call.request.args.get("n", "")
    if text is None or not (number.isascii() and number.isdigit() and len(number) < 16):  # noqa: PLR2004
        return None
    jobs = f"{count(int(number))} job{'' if number == '1' else 's'}"
    return text.format(n=jobs)


def _undo(call: Call) -> str | None:
    """Return where the form of Undo leads, for ten seconds after what a page says was done."""
    given = call.request.args
    did, at = given.get("did", ""), given.get("at", "")
    is_fresh = at.isascii() and at.isdigit() and len(at) < 16  # noqa: PLR2004
    if not (call.may_act and is_fresh and 0 <= call.source.now - int(at) <= UNDO_MS):
        return None
    if did in {"retried", "cancelled"} and given.get("op"):
        return call.url("operations", given["op"], "undo")
    if did in _OPPOSITES and given.get("of"):
        return call.url("queues", given["of"], _OPPOSITES[did])
    return None


def is_ours(root: str, target: str) -> bool:
    """Return whether an address stays in this dashboard: a path, and no name of another host."""
    return (
        target.startswith(f"{root}/")
        and not target.startswith(("//", "/\\"))
        and target.isprintable()
        and target.isascii()
        and "\\" not in target
    )
