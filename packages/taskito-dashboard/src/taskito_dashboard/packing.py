"""Answers made smaller for clients that can unpack them."""

import gzip
from functools import lru_cache

from werkzeug.wrappers import Request, Response

_LEAST = 1000
"""Bytes from which on packing saves more than its headers cost."""
_MEDIA = ("text/", "application/json", "image/svg+xml")
_FAST = 4
_BEST = 9


def packed(request: Request, response: Response) -> Response:
    """Pack an answer with gzip if the client takes that; streams stay as they are.

    Nothing of a page is secret before whoever may choose a part of it: there are no tokens in
    pages, so their length tells nothing.
    """
    if response.is_streamed or response.direct_passthrough:
        return response
    if "Content-Encoding" in response.headers:
        return response
    if not (response.mimetype or "").startswith(_MEDIA):
        return response
    response.vary.add("Accept-Encoding")
    content = response.get_data()
    if len(content) < _LEAST or not is_packed(request):
        return response
    # Files of the package are the same for everybody, pages are not.
    is_kept = "immutable" in response.headers.get("Cache-Control", "")
    response.set_data(_kept(content) if is_kept else gzip.compress(content, _FAST))
    response.headers["Content-Encoding"] = "gzip"
    return response


def is_packed(request: Request) -> bool:
    """Return whether the client takes what is packed."""
    return request.accept_encodings["gzip"] > 0


@lru_cache(maxsize=64)
def _kept(content: bytes) -> bytes:
    return gzip.compress(content, _BEST, mtime=0)
