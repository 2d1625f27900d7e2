"""The table of nouns says what the modules register, no more and no less."""

import pkgutil

import pytest
import typer
from typer.exceptions import TyperException
from typer.main import get_command

from console import commands
from console.main import app
from console.nouns import NOUNS, registered


@pytest.mark.parametrize("module", list(NOUNS))
def test_a_module_registers_what_the_table_says(module: str) -> None:
    assert tuple(registered(module)) == NOUNS[module]


def test_every_module_of_commands_is_in_the_table() -> None:
    # A command whose file is not a noun's of its own is loaded by one that is.
    found = {info.name for info in pkgutil.iter_modules(commands.__path__)}
    assert set(NOUNS) == found


def test_one_command_loads_one_module() -> None:
    group = get_command(app)
    context = typer.Context(group)
    assert group.get_command(context, "halt").name == "halt"  # type: ignore[attr-defined]
    assert list(group.commands) == list(NOUNS["halts"])  # type: ignore[attr-defined]


def test_a_mistyped_name_is_told_which_one_is_near() -> None:
    group = get_command(app)
    with pytest.raises(TyperException, match="'status'"):
        group.main(["statsu"], standalone_mode=False)
