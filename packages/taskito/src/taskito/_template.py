"""What the messages of one kind of failure have in common."""

import re

_READ = 2000
_LONGEST = 300
_BEFORE = r"(?<![\w}])"  # no part of a longer word, and not what follows a placeholder

# The first that fits wins. What a template has already comes first, so that one is left as it is.
# Everything with digits in it is replaced, so they need not be looked for in a template.
_PARTS = re.compile(
    rf"""
    (?P<known> \{{(?:N|uuid|hex|str|path|mail)\}} )
    | (?P<str> {_BEFORE} (?: '[^'\n]*' | "[^"\n]*" | `[^`\n]*` ) )
    | (?P<mail> (?<![\w}}.+-]) [\w.+-]+ @ [\w-]+ \.[\w-] [\w.-]* )
    | (?P<uuid> {_BEFORE} (?=[a-f-]*\d) [\da-f]{{8}} (?: -[\da-f]{{4}} ){{3}} -[\da-f]{{12}}
      (?!\w) )
    | (?P<path> {_BEFORE} (?: ~ | \.{{1,2}} | [a-z]: )? [/\\] [\w.\-/\\+@~%]+ )
    | (?P<hex> {_BEFORE} (?: 0x[\da-f]+ | (?=[a-f]*\d) (?=\d*[a-f]) [\da-f]{{8,}} ) (?!\w) )
    | (?P<N> \d+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def template_of(message: str) -> str:
    """Return a message with ``{N}`` for numbers, and so on, at most 300 characters long.

    The placeholders are ``{N}``, ``{uuid}``, ``{hex}``, ``{str}`` for what stands in quotes,
    ``{path}`` and ``{mail}``. A template of a template is the same. The time it takes is bounded:
    only the first 2,000 characters are read.
    """
    return _PARTS.sub(_placeholder, message[:_READ].strip())[:_LONGEST].rstrip()


def _placeholder(found: re.Match[str]) -> str:
    kind = found.lastgroup
    return found[0] if kind == "known" else f"{{{kind}}}"
