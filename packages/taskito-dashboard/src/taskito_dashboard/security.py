"""Who may ask for what: hosts, origins, tokens, and what browsers are told."""

import hashlib
import hmac
import ipaddress
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from taskito.exceptions import ConfigurationError
from taskito_dashboard.errors import Refused

Role = Literal["open", "viewer", "admin"]
Access: TypeAlias = Literal["admin", "viewer"] | None
"""``admin`` sees and acts, ``viewer`` sees; ``None`` is let to nothing."""
Authorize: TypeAlias = Callable[[Request], Access]
"""Decides about a request."""

TOKEN_VARIABLE = "TASKITO_DASHBOARD_TOKEN"  # noqa: S105 - the name of it
VIEWER_TOKEN_VARIABLE = "TASKITO_DASHBOARD_VIEWER_TOKEN"  # noqa: S105 - likewise
COOKIE = "taskito_dashboard"
TRIES = 5
TRIES_WITHIN = 60.0
_ADDRESSES = 10_000
_MAKE = 'make one: python -c "import secrets; print(secrets.token_urlsafe())"'
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


def token_of(given: str | None, variable: str = TOKEN_VARIABLE) -> str | None:
    """Return the token that is asked for: the one given, else that of the environment."""
    return given if given is not None else os.environ.get(variable) or None


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


@dataclass(frozen=True, slots=True)
class Proxy:
    """What has logged people in before their requests come here.

    Attributes:
        header: Where it says who they are, such as ``X-Forwarded-User``.
        addresses: Where its requests come from; the header of all others counts for nothing.
    """

    header: str
    addresses: Collection[str]

    def user(self, request: Request) -> str | None:
        """Return whom a request is of, ``None`` if the proxy does not say so."""
        if request.remote_addr not in self.addresses:
            return None
        return request.headers.get(self.header, "").strip() or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Who is let in, and what for. Without any login everybody may do everything.

    Attributes:
        token: Whoever has it may do everything.
        viewer_token: Whoever has it may look.
        proxy: Whom it names may do everything.
        authorize: Decides about every request, instead of all these.
        read_only: Nobody may do more than look.
        hosts: Other names than those of loopback that requests may ask for; ``None`` is any.

    Raises:
        ConfigurationError: For a token that is empty, cannot be sent in a header or is given twice,
            and for tokens beside ``authorize``.
    """

    token: str | None = None
    viewer_token: str | None = None
    proxy: Proxy | None = None
    authorize: Authorize | None = None
    read_only: bool = False
    hosts: Collection[str] | None = ()

    def __post_init__(self) -> None:
        """Look at the tokens."""
        for token in self.tokens:
            if not (token.isascii() and token.isprintable() and token.strip()):
                raise ConfigurationError(
                    "the token is empty or has characters that are no printable ASCII", hint=_MAKE
                )
        if self.authorize is not None and self.tokens:
            raise ConfigurationError(
                "there are tokens, and authorize= that does not look at them",
                hint="leave one of them out",
            )
        if self.token is not None and self.token == self.viewer_token:
            raise ConfigurationError("the token of viewers may do everything", hint=_MAKE)

    @property
    def tokens(self) -> "dict[str, Access]":
        """What each token lets do."""
        both: dict[str | None, Access] = {self.viewer_token: "viewer", self.token: "admin"}
        return {token: access for token, access in both.items() if token is not None}

    @property
    def has_login(self) -> bool:
        """Whether there is anything that keeps somebody out."""
        return bool(self.tokens or self.proxy or self.authorize)


class Guard:
    """Decides about every request before its handler is called.

    Attributes:
        rules: What it goes by.
    """

    def __init__(self, rules: Rules, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep the rules."""
        self.rules = rules
        self._throttle = Throttle(clock)

    @property
    def has_tokens(self) -> bool:
        """Whether people log in here."""
        return bool(self.rules.tokens)

    @property
    def is_open(self) -> bool:
        """Whether whoever reaches it from anywhere may do everything."""
        rules = self.rules
        return rules.hosts is None and not (rules.has_login or rules.read_only)

    def check_host(self, environ: Mapping[str, object]) -> None:
        """Refuse a name that another site may have pointed at this machine.

        Raises:
            Refused: With 403.
        """
        host, names = host_of(str(environ.get("HTTP_HOST", ""))), self.rules.hosts
        if not (names is None or is_loopback(host) or host.lower() in names):
            raise Refused(
                403,
                f"host {host!r} is not a loopback name",
                "open the page as http://127.0.0.1 on the machine it runs on, or start it with "
                "--allowed-host",
            )

    def check(self, request: Request, role: Role) -> Access:
        """Refuse who is not known, and writes that are not wanted.

        Returns:
            What the request may do.

        Raises:
            Refused: With 401, 403 or 429.
        """
        if is_write(request.method):
            check_origin(request)
        if role == "open":
            return None
        access = self._access(request)
        if access is None:
            raise self._unknown()
        if self.rules.read_only and role == "admin":
            raise Refused(403, "this dashboard is read-only", "start it without read_only")
        if role == "admin" and access != "admin":
            raise Refused(403, "you may look, but change nothing", "log in as somebody who may")
        return "viewer" if self.rules.read_only else access

    def who(self, request: Request) -> str | None:
        """Return who sent a request, as the server or a proxy in front of it says."""
        named = self.rules.proxy and self.rules.proxy.user(request)
        return named or request.remote_user

    def _access(self, request: Request) -> Access:
        rules = self.rules
        if rules.authorize is not None:
            return _decided(rules.authorize(request))
        if not rules.has_login or (rules.proxy and rules.proxy.user(request)):
            return "admin"
        cookie = request.cookies.get(COOKIE, "")
        for token, access in rules.tokens.items():
            if _same(cookie, session_of(token)):
                return access
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.access_of(request, token.strip()) if scheme.lower() == "bearer" else None

    def _unknown(self) -> Refused:
        if not self.has_tokens:
            hint = "log in to what is in front of the dashboard"
            return Refused(403, "nobody said who you are, or you may not see this", hint)
        return Refused(
            401,
            "a token is needed",
            "send 'Authorization: Bearer TOKEN', or open the page and log in",
            WWW_Authenticate='Bearer realm="taskito dashboard"',
        )

    def access_of(self, request: Request, token: str) -> Access:
        """Return what a token lets do; wrong ones are counted.

        Raises:
            Refused: With 429, after five wrong ones within a minute from one address.
        """
        address = request.remote_addr or ""
        wait = self._throttle.wait(address)
        if wait > 0:
            seconds = str(int(wait) + 1)
            error = "too many wrong tokens from this address"
            raise Refused(429, error, f"wait {seconds} s", Retry_After=seconds)
        for right, access in self.rules.tokens.items():
            if _same(token, right):
                return access
        self._throttle.failed(address)
        return None


def session_of(token: str) -> str:
    """Return the cookie that stands for a token: follows from it, and the token not from that."""
    return hmac.new(token.encode(), b"taskito dashboard session", hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _decided(access: object) -> Access:
    """Return what ``authorize`` said, if it said something that can be said."""
    if access == "admin" or access == "viewer" or access is None:  # noqa: PLR1714 - for the types
        return access
    raise TypeError(f"authorize returned {access!r}, not 'admin', 'viewer' or None")


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
