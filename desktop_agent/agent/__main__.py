"""`python -m desktop_agent.agent --home FOLDER`: the agent on standard input and output.

A program with a face starts it; see `messages`. It ends with its standard input.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from bus.eventloop import quiet_tls_close
from bus.lifeline import stdin_reader
from desktop_agent.agent.agent import Agent
from desktop_agent.agent.messages import Failed, Told, Word, decode_word, encode
from schemas.errors import UNREADABLE, AnyTeamError


def main() -> int:
    """Serve until nobody asks any more; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m desktop_agent.agent")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--bus", default=None)
    given = parser.parse_args()
    quiet_tls_close()
    try:
        asyncio.run(_serve(given.home, given.bus))
    except AnyTeamError as error:
        _say(Failed(what=error.what, fix=error.fix))
        return error.exit_code
    except BrokenPipeError:
        # The program has gone, and what was heard is in the queue.
        return 0
    return 0


async def _serve(home: Path, bus: str | None) -> None:
    await Agent(home, bus, _say).serve(_words(await stdin_reader()))


async def _words(reader: asyncio.StreamReader) -> AsyncIterator[Word]:
    async for line in reader:
        try:
            word = decode_word(line)
        except UNREADABLE as error:
            _say(Failed(what=f"that is no word the agent knows: {error}", fix="update the program"))
            continue
        yield word


def _say(told: Told) -> None:
    sys.stdout.buffer.write(encode(told))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
