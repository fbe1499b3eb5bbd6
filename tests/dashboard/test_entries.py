"""How the dashboard is reached: the command, the functions, and what they take by default."""

import argparse
import inspect
from importlib.metadata import distribution

import pytest

import taskito_dashboard
from taskito import dashboard
from taskito_dashboard import cli


def test_the_distribution_brings_the_command() -> None:
    found = distribution("taskito-dashboard").entry_points.select(group="taskito.cli")

    assert found.names == {"dashboard"}
    assert found["dashboard"].load() is cli.register


def test_the_command_listens_on_this_machine_by_default() -> None:
    parser = argparse.ArgumentParser()
    cli.register(parser)
    args = parser.parse_args([])

    assert (args.host, args.port, args.token, args.read_only) == ("127.0.0.1", 8080, None, False)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        (
            "serve_dashboard",
            "(queue, host='127.0.0.1', port=8080, *, token=None, read_only=False)",
        ),
        ("create_app", "(queue, *, token=None, read_only=False)"),
    ],
)
def test_parameters_and_defaults_are_those_documented(name: str, parameters: str) -> None:
    function = getattr(taskito_dashboard, name)
    signature = inspect.signature(function)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]

    assert str(inspect.Signature(plain)) == parameters


def test_the_old_module_has_the_same_functions() -> None:
    assert dashboard.serve_dashboard is taskito_dashboard.serve_dashboard
    assert dashboard._make_handler is taskito_dashboard.make_handler
