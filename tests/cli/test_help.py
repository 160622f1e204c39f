"""`--help` of every command, in the words of those who use it."""

import re
import sys

import pytest
import typer.main

from guestlist_server.__main__ import _app

# What a command is made of is not what it does.
JARGON = re.compile(
    r"\b(queryset|boolean|stdin|stdout|stderr|regex|payload|primary key|instance|iterable)\b", re.I
)


def commands():
    """Every command with its words."""
    before, sys.argv = sys.argv, ["guestlist"]
    try:
        waiting = [((), typer.main.get_command(_app()))]
    finally:
        sys.argv = before
    while waiting:
        words, command = waiting.pop()
        children = getattr(command, "commands", {})
        if not children:
            yield pytest.param(words, command, id=" ".join(words))
        waiting += [((*words, name), child) for name, child in children.items()]


COMMANDS = list(commands())


def test_there_are_commands():
    assert len(COMMANDS) > 30


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_command_is_explained_with_an_example(words, command):
    assert command.help
    assert f"  guestlist {' '.join(words)}" in (command.epilog or "")
    for param in command.params:
        if not getattr(param, "hidden", False):
            assert param.help, param.name
    texts = [command.help, *(getattr(param, "help", None) or "" for param in command.params)]
    assert [found[0] for text in texts if (found := JARGON.search(text))] == []


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_example_is_understood(words, command):
    """Options in an example exist."""
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    for line in re.findall(r"  guestlist (.*)", command.epilog):
        given = re.findall(r"(?<!\S)--[\w-]+", line)
        assert set(given) <= options, line
