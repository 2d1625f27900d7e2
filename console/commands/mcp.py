"""`anyteam mcp`: pin an MCP server's tools, see what it offers, and offer a run's to an agent."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console.errors import NoSuch
from console.output import JsonFlag, emit, progress
from console.session import DEFAULT_DATA, DataOption
from console.vaults import vault_of
from crypto.keyfile import write_secret
from schemas.connectors import McpSettings
from schemas.names import check_name
from schemas.settings import Settings
from sidecar.errors import McpMissing
from sidecar.vault import Credentials, Secret

if TYPE_CHECKING:
    from mcp.types import Tool as OfferedTool

ServerName = Annotated[str, typer.Argument(help="The server, as in [connectors.mcp.NAME].")]

RunName = Annotated[str, typer.Option("--run", help="The run whose tools to offer.")]
HttpOption = Annotated[
    bool, typer.Option("--http", help="Streamable HTTP on loopback, not standard input.")
]
PortOption = Annotated[int, typer.Option(help="With --http; 0 lets the system choose.")]
WaitOption = Annotated[
    float, typer.Option(help="Seconds a call waits for a person before it says so.", min=0)
]
FinishOption = Annotated[
    bool, typer.Option(help="End the run when the agent goes (standard input only).")
]

mcp_app = typer.Typer(help="MCP servers as tools, and a run's tools for MCP agents.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    mcp_app.callback(invoke_without_command=True)(offer)
    mcp_app.command()(pin)
    mcp_app.command()(tools)
    mcp_app.command()(serve)
    app.add_typer(mcp_app, name="mcp")


def pin(name: ServerName, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Write what a server offers into mcp/NAME.toml, all of it switched off.

    What you declared stays for tools that are as they were; a changed one is switched off again.
    """
    folder = DataFolder(data)
    settings = folder.settings()
    server = _server(settings, name)
    file = folder.mcp_file(name)
    _need_library()
    from sidecar.connectors.mcp.pins import Standing, compared, pinned

    offered = asyncio.run(_offered(folder, settings, server))
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    found = compared(offered, server.tools)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write_secret(file, pinned(name, before, offered, server.tools).encode())
    counts = {
        standing.value: sum(one.standing is standing for one in found) for standing in Standing
    }
    words = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    emit(
        {"file": str(file), **counts},
        json,
        f"{words or 'no tools'}; wrote {file}. Nothing new is allowed: edit it, then restart",
    )


def tools(name: ServerName, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """What a server offers beside what is declared of it; exits 1 where an allowed tool changed."""
    folder = DataFolder(data)
    settings = folder.settings()
    server = _server(settings, name)
    _need_library()
    from sidecar.connectors.mcp.pins import Standing, compared

    held = False
    for one in compared(asyncio.run(_offered(folder, settings, server)), server.tools):
        declared, offered = one.declared, one.offered
        allowed = declared is not None and declared.allow
        changed = one.standing in (Standing.CHANGED, Standing.GONE)
        held = held or (allowed and changed)
        said = (offered.description or "") if offered is not None else ""
        effect = declared.effect.value if declared is not None and declared.effect else None
        value = {
            "tool": one.own,
            "name": declared.name if declared is not None else None,
            "standing": one.standing.value,
            "allowed": allowed,
            "effect": effect,
            "server_says": said,
        }
        light = "[green]allowed[/]" if allowed and not changed else "off"
        state = f"[red]{one.standing.value}[/]" if changed else one.standing.value
        # Its words may hold what a terminal obeys.
        shown = "".join(c if c.isprintable() else " " for c in said)[:160]
        text = f"{escape(one.own):<32} {light}, {state}, {effect or 'no effect declared'}"
        emit(value, json, f"{text}\n    [dim]the server says: {escape(shown)}[/]")
    raise typer.Exit(1 if held else 0)


def offer(
    context: typer.Context,
    run: Annotated[str, typer.Option("--run", help="Offer this run's tools, as `serve`.")] = "",
    http: HttpOption = False,
    port: PortOption = 0,
    wait: WaitOption = 20.0,
    finish: FinishOption = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """MCP servers as tools; with --run, a run's tools for an MCP agent (as `anyteam mcp serve`)."""
    if context.invoked_subcommand is not None:
        if run:
            raise typer.BadParameter("--run goes without a command, or behind `serve`")
        return
    if not run:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    serve(run, http, port, wait, finish, data)


def serve(
    run: RunName,
    http: HttpOption = False,
    port: PortOption = 0,
    wait: WaitOption = 20.0,
    finish: FinishOption = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Offer a run's leased tools to an MCP agent, which so becomes the run's runtime.

    The run's agent has planner = "mcp" in the settings; ask for it with `anyteam run --no-wait`.
    With --http the address and the run's bearer token are written to run/RUN.mcp.json.
    """
    _need_library()
    from console.serving import serve_http, serve_stdio

    folder = DataFolder(data)
    folder.settings()
    check_name(run, "run")
    if http:
        asyncio.run(serve_http(folder, run, port, wait, progress))
    else:
        asyncio.run(serve_stdio(folder, run, wait, finish))


def _server(settings: Settings, name: str) -> McpSettings:
    server = settings.connectors.mcp.get(name)
    if server is None:
        raise NoSuch(
            f"no MCP server {name} is configured",
            fix=f"add [connectors.mcp.{name}] to anyteam.toml",
        )
    return server


def _need_library() -> None:
    try:
        import sidecar.connectors.mcp.session  # noqa: F401
    except ImportError as error:
        raise McpMissing(
            "the package mcp is not installed", fix="pip install 'anyteam-trust[mcp]'"
        ) from error


async def _offered(
    folder: DataFolder, settings: Settings, server: McpSettings
) -> "list[OfferedTool]":
    from sidecar.connectors.mcp.session import McpServer, connector_to

    connection = McpServer(
        connector_to(server, _credentials(folder), sys.stderr),
        timeout_s=server.timeout_s,
    )
    try:
        return await connection.tools()
    finally:
        await connection.close()


def _credentials(folder: DataFolder) -> Credentials:
    held = vault_of(folder).held(None)
    return Credentials({name: one.value for name, one in held.items() if isinstance(one, Secret)})
