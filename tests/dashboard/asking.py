"""What tests ask a dashboard, and how they read the answers."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any, TypeAlias

from werkzeug.test import Client

UNKNOWN = "01a213be-92ec-71cc-a138-889512eab6a9"
"""An id that no job has."""
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{7*7}}"
Work: TypeAlias = Callable[[], None]


def get(client: Client, path: str, status: int = 200) -> Any:
    """Return a document, whole and with its length."""
    response = client.get(path)
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    assert int(response.headers["Content-Length"]) == len(response.data)
    return response.json


def post(client: Client, path: str, body: object = None, status: int = 200) -> Any:
    """Return what comes back after a JSON body, or none, is sent."""
    response = client.post(path, json=body) if body is not None else client.post(path)
    assert response.status_code == status, response.text
    return response.json


def page(client: Client, path: str, status: int = 200) -> str:
    """Return the HTML of a page, after a look at what every page has."""
    response = client.get(path)
    assert response.status_code == status, path
    assert response.mimetype == "text/html"
    text = response.text
    assert text.startswith("<!DOCTYPE html>")
    assert "taskito dashboard" in text
    return text


def words(html: str) -> str:
    """Return what a person reads, in one line."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())
