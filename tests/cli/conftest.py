"""A terminal."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from guestlist import cli


@pytest.fixture
def run():
    """Run `guestlist …`; `.data` is what `--json` printed."""
    runner, app = CliRunner(), cli.app()

    def call(*words: str, stdin: str | bytes | None = None) -> Any:
        result: Any = runner.invoke(app, list(words), input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        result.data = json.loads(result.stdout) if "--json" in words and result.stdout else None
        return result

    return call
