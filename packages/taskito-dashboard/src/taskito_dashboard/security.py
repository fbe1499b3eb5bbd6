"""Who may ask for what: hosts, origins, tokens, and what browsers are told."""

import hashlib
import hmac
import ipaddress
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from taskito.exceptions import ConfigurationError
from taskito_dashboard.errors import Refused

Role = Literal["open", "viewer", "admin"]

TOKEN_VARIABLE = "TASKITO_DASHBOARD_TOKEN"  # noqa: S105 - the name of it
COOKIE = "taskito_dashboard"
TRIES = 5
TRIES_WITHIN = 60.0
_ADDRESSES = 10_000
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
# A page whose policy is "no-referrer" sends forms with "Origin: null".
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def token_of(given: str | None) -> str | None:
    """Return the token that is asked for: the one given, else that of the environment."""
    return given if given is not None else os.environ.get(TOKEN_VARIABLE) or None


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without a port, is this machine's own."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """The name in a ``Host`` header, without the port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


def is_write(method: str) -> bool:
    """Whether a method changes something."""
    return method in _WRITES


def check_origin(request: Request) -> None:
    """Refuse a write that another site made this browser send.

    Programs send none of these headers and are let through.

    Raises:
        Refused: With 403.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site not in {None, "same-origin", "none"}:
        raise Refused(403, f"a page of another site sent this ({site})", "use the dashboard itself")
    origin = request.headers.get("Origin")
    if origin is not None and not _same_host(origin, request.environ.get("HTTP_HOST", "")):
        raise Refused(403, f"origin {origin!r} is foreign", "use the dashboard itself")


def _same_host(origin: str, host: str) -> bool:
    # Of a proxy that ends TLS the scheme is not known here; the host is what tells.
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()


class Guard:
    """Decides about every request before its handler is called."""

    def __init__(
        self,
        *,
        token: str | None,
        read_only: bool,
        local_names_only: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the rules.

        Raises:
            ConfigurationError: For an empty token, or one that cannot be sent in a header.
        """
        if token is not None and not (token.isascii() and token.isprintable() and token.strip()):
            raise ConfigurationError(
                "the token is empty or has characters that are no printable ASCII",
                hint='make one: python -c "import secrets; print(secrets.token_urlsafe())"',
            )
        self._token = token
        self.read_only = read_only
        self._local_names_only = local_names_only
        self._throttle = Throttle(clock)

    @property
    def has_login(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    @property
    def is_open(self) -> bool:
        """Whether whoever reaches it from anywhere may do everything."""
        return not (self.has_login or self._local_names_only or self.read_only)

    def check_host(self, environ: Mapping[str, object]) -> None:
        """Refuse a name that another site may have pointed at this machine.

        Raises:
            Refused: With 403.
        """
        host = host_of(str(environ.get("HTTP_HOST", "")))
        if self._local_names_only and not is_loopback(host):
            hint = "open the page as http://127.0.0.1 on the machine it runs on"
            raise Refused(403, f"host {host!r} is not a loopback name", hint)

    def check(self, request: Request, role: Role) -> None:
        """Refuse who is not known, and writes that are not wanted.

        Raises:
            Refused: With 401, 403 or 429.
        """
        if is_write(request.method):
            check_origin(request)
        if role == "open":
            return
        if not self.knows(request):
            raise Refused(
                401,
                "a token is needed",
                "send 'Authorization: Bearer TOKEN', or open the page and log in",
                WWW_Authenticate='Bearer realm="taskito dashboard"',
            )
        if self.read_only and role == "admin":
            raise Refused(403, "this dashboard is read-only", "start it without read_only")

    def knows(self, request: Request) -> bool:
        """Whether a request carries the token or the cookie of the login page.

        Raises:
            Refused: With 429, when this address has tried too many tokens.
        """
        if self._token is None:
            return True
        cookie = request.cookies.get(COOKIE, "")
        if hmac.compare_digest(cookie.encode(), self.session().encode()):
            return True
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.admits(request, token.strip())

    def admits(self, request: Request, token: str) -> bool:
        """Whether a token is the right one; wrong ones are counted.

        Raises:
            Refused: With 429, after five wrong ones within a minute from one address.
        """
        address = request.remote_addr or ""
        wait = self._throttle.wait(address)
        if wait > 0:
            seconds = str(int(wait) + 1)
            error = "too many wrong tokens from this address"
            raise Refused(429, error, f"wait {seconds} s", Retry_After=seconds)
        if hmac.compare_digest(token.encode(), (self._token or "").encode()):
            return True
        self._throttle.failed(address)
        return False

    def session(self) -> str:
        """The value of the cookie: follows from the token, and the token not from it."""
        key = (self._token or "").encode()
        return hmac.new(key, b"taskito dashboard session", hashlib.sha256).hexdigest()


class Throttle:
    """Counts wrong tokens by address, in a window that moves."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, list[float]] = {}

    def wait(self, address: str) -> float:
        """Return the seconds until this address may try again; 0 or less is now."""
        with self._lock:
            recent = self._recent(address)
            if len(recent) < TRIES:
                return 0
            return recent[-TRIES] + TRIES_WITHIN - self._clock()

    def failed(self, address: str) -> None:
        """Count a wrong token."""
        with self._lock:
            recent = [*self._recent(address), self._clock()]
            self._failures.pop(address, None)
            if len(self._failures) >= _ADDRESSES:
                del self._failures[next(iter(self._failures))]
            self._failures[address] = recent

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - TRIES_WITHIN
        return [at for at in self._failures.get(address, ()) if at > since]
