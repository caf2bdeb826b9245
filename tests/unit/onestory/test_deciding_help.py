"""The help of every act about who is who teaches by an example that the command itself would take."""

from __future__ import annotations

import shlex

import pytest
from typer.testing import CliRunner

from onestory.cli import app

ACTS = (
    "decide pair",
    "decide withdraw",
    "decide adjudicate",
    "notice add",
    "notice withdraw",
    "do-not-link add",
    "do-not-link withdraw",
    "do-not-trace add",
    "do-not-trace withdraw",
)


@pytest.mark.parametrize("act", ACTS)
def test_the_example_in_the_help_is_understood(act: str) -> None:
    runner = CliRunner()
    told = " ".join(runner.invoke(app, [*act.split(), "--help"]).output.split())
    example = told.split("Example: onestory ")[1].split(" Arguments:")[0]
    assert example.startswith(act)
    tried = runner.invoke(app, [*shlex.split(example), "--profile", "/there/is/no/council.yml"])
    assert tried.exit_code == 2 and "no such profile" in tried.output, "every word was understood, no council is there"
