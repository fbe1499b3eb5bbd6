"""The description of the JSON API, made from the table of routes."""

import re
from collections.abc import Sequence
from typing import Any

from taskito_dashboard.answers import ACCEPTED, ANSWERS, Schema
from taskito_dashboard.routing import API, V1, Route

_NAMES = re.compile(r"<(?:\w+:)?(\w+)>")
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "hint": {"type": ["string", "null"]}},
}


def described(routes: Sequence[Route], *, root: str, version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of all routes that answer with documents.

    Args:
        routes: The table.
        root: Where the dashboard is mounted.
        version: Of the package.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.kind == "json" and route.path.startswith(f"{API}/"):
            path = _NAMES.sub(r"{\1}", route.path).removeprefix(V1).removeprefix(API)
            paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "taskito dashboard", "version": version},
        "servers": [{"url": f"{root}{V1}"}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    names = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _NAMES.findall(route.path)
    ]
    params = [
        {"name": param.name, "in": "query", "schema": param.schema()} for param in route.query
    ]
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    operation: dict[str, Any] = {
        "operationId": _identifier(route),
        "summary": route.summary,
        "tags": [route.path.split("/")[2]],
        "parameters": [*names, *params],
        "responses": {
            "200": _answer("The answer", ANSWERS.get((route.method, route.path), {})),
            "default": {"description": "Why there is none", "content": failure},
        },
    }
    if accepted := ACCEPTED.get((route.method, route.path)):
        operation["responses"]["202"] = _answer(*accepted)
    if route.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": dict(route.body)}}}
    return operation


def _answer(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _identifier(route: Route) -> str:
    words = re.findall(r"\w+", _NAMES.sub(r"by_\1", route.path.removeprefix(API)))
    return "_".join([route.method.lower(), *words])
