"""The Redis and the PostgreSQL that peers use. They are used as they run, and left as they were.

``TASKITO_BENCHMARK_REDIS`` and ``TASKITO_BENCHMARK_POSTGRES`` name others.
"""

import os
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from benchmarks.systems import MissingError

REDIS_URL = os.environ.get("TASKITO_BENCHMARK_REDIS", "redis://127.0.0.1:6379/13")
POSTGRES_URL = os.environ.get(
    "TASKITO_BENCHMARK_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres"
)
OURS = "taskito-benchmark"
SCHEMA = "taskito_benchmark"


class RedisDatabase:
    """One numbered database of a Redis, emptied at the start and at the end.

    It must be empty, or left behind by a measurement that was killed: that one bears our mark.

    Attributes:
        url: where it is.
        client: a client of it.

    Raises:
        MissingError: nothing answers, or the database has other contents.
    """

    def __init__(self, url: str = REDIS_URL) -> None:
        redis: Any = import_module("redis")
        self.url = url
        self.client: Any = redis.Redis.from_url(url)
        try:
            size = int(self.client.dbsize())
            ours = bool(self.client.exists(OURS))
        except redis.RedisError as error:
            raise MissingError(f"no Redis at {_plain(url)}: {error}") from error
        if size and not ours:
            raise MissingError(
                f"the Redis database {_plain(url)} is not empty; "
                "name another with TASKITO_BENCHMARK_REDIS"
            )
        self.client.flushdb()
        self.client.set(OURS, 1)
        self._empty = self.memory()

    def size(self) -> int:
        """Return how many keys others than our mark there are; it costs Redis nothing."""
        return int(self.client.dbsize()) - 1

    def memory(self) -> int:
        """Return how many bytes Redis uses for its data, other databases included."""
        return int(self.client.info("memory")["used_memory"])

    def grown(self) -> int:
        """Return how many more bytes that are than in the beginning."""
        return self.memory() - self._empty

    def close(self) -> None:
        """Empty the database."""
        self.client.flushdb()
        self.client.close()


def neighbour(url: str) -> str:
    """Return the URL of the next numbered database of the same Redis."""
    head, _, number = url.rpartition("/")
    return f"{head}/{int(number) + 1}"


def redis_version() -> dict[str, str]:
    """Return the version of the server for the report."""
    client: Any = import_module("redis").Redis.from_url(REDIS_URL)
    with suppress(Exception):
        return {"Redis": str(client.info("server")["redis_version"])}
    return {}


class PostgresSchema:
    """A schema of our own in a PostgreSQL database, dropped at the end.

    Attributes:
        url: where it is; connections find the schema first.
        connection: commits every statement.

    Raises:
        MissingError: nothing answers.
    """

    def __init__(self, url: str = POSTGRES_URL) -> None:
        psycopg: Any = import_module("psycopg")
        self.url = f"{url}?options=-csearch_path%3D{SCHEMA}"
        try:
            self.connection: Any = psycopg.connect(url, autocommit=True, connect_timeout=3)
        except psycopg.Error as error:
            said = str(error).partition("\n")[0]
            raise MissingError(f"no PostgreSQL at {_plain(url)}: {said}") from error
        self._drop()
        self.connection.execute(f"CREATE SCHEMA {SCHEMA}")
        self.connection.execute(f"SET search_path = {SCHEMA}")

    def number(self, query: str) -> int:
        """Return the one number a query asks for."""
        return int(self.connection.execute(query).fetchone()[0])

    def close(self) -> None:
        """Drop the schema."""
        self._drop()
        self.connection.close()

    def _drop(self) -> None:
        self.connection.execute("SET client_min_messages = error")
        self.connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def postgres_version() -> dict[str, str]:
    """Return the version of the server for the report."""
    psycopg: Any = import_module("psycopg")
    with suppress(psycopg.Error), psycopg.connect(POSTGRES_URL, connect_timeout=3) as connection:
        return {"PostgreSQL": str(connection.execute("SHOW server_version").fetchone()[0])}
    return {}


def _plain(url: str) -> str:
    """Return host, port and database of a URL, without a password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}{parts.path}"
