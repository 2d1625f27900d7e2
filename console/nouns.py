"""The command's nouns, loaded when they are asked for.

`anyteam status` needs one module of thirty, and no mail, no model and no export to start:
Click's pattern of lazily loaded commands. `--help`, completion and a mistyped name load all.
"""

import importlib
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from console.helping import with_example

# Each module of `console.commands` with the names it registers, in the order of the help.
NOUNS: Final[dict[str, tuple[str, ...]]] = {
    "operation": ("init", "up", "component", "status"),
    "doctor": ("doctor",),
    "runs": ("run", "runs", "tail"),
    "approvals": ("questions", "approve", "change", "deny"),
    "halts": ("halt", "release"),
    "people": ("console",),
    "passkeys": ("passkey",),
    "tokens": ("tokens",),
    "policy": ("policy",),
    "inventory": ("budget", "rep", "tool"),
    "destinations": ("destinations",),
    "memory": ("memory",),
    "devices": ("device",),
    "exports": ("export",),
    "verification": ("verify",),
    "proofs": ("prove",),
    "witnesses": ("witness", "cosign"),
    "epochs": ("epoch",),
    "restoring": ("restore",),
    "replays": ("replay",),
    "blast": ("blast",),
    "incident": ("incident",),
    "telemetry": ("telemetry",),
    "receipts": ("receipt",),
    "credentials": ("credential",),
    "keys": ("key",),
    "erasure": ("erase",),
    "mcp": ("mcp",),
    "webhooks": ("webhook",),
    "projections": ("projections",),
    "demo": ("demo",),
}
_MODULE_OF: Final = {name: module for module, names in NOUNS.items() for name in names}


class LazyNouns(TyperGroup):
    """A group whose commands come from `console.commands`, each module at its first use."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in the order of the table."""
        self._load(*NOUNS)
        return list(_MODULE_OF)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, its module loaded; None where there is none."""
        module = _MODULE_OF.get(cmd_name)
        # A name that nobody has: all of them, so that the error can say which one is near.
        self._load(*(NOUNS if module is None else (module,)))
        return self.commands.get(cmd_name)

    def _load(self, *modules: str) -> None:
        for module in modules:
            if NOUNS[module][0] not in self.commands:
                self.commands.update(registered(module))


def registered(module: str) -> dict[str, Any]:
    """The commands that a module of `console.commands` registers, by name."""
    part = typer.Typer()
    importlib.import_module(f"console.commands.{module}").register(part)
    commands = dict(get_group(part).commands)
    for name, command in commands.items():
        with_example(name, command)
    return commands
