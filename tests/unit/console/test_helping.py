"""Each example in the help is one that its command takes."""

import shlex

import pytest
import typer
from typer.main import get_command

from console.helping import EXAMPLES
from console.main import app


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_an_example_names_options_that_there_are_and_values_that_fit(name: str) -> None:
    program, *words = shlex.split(EXAMPLES[name].partition(" < ")[0])
    assert program == "anyteam"
    command = get_command(app)
    context = typer.Context(command, info_name=program)
    for part in name.split():
        assert words.pop(0) == part
        command = command.get_command(context, part)  # type: ignore[attr-defined]
        assert command is not None
    # Reads the words as the command would, and does nothing with them.
    command.make_context(name, words, parent=context)
    assert command.epilog == f"Example: {EXAMPLES[name]}"
