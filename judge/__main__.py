"""`python -m judge`: the judge's process for one run, started by the orchestrator."""

import sys

from bus.component import read_boot, run_decider, run_process, until_orphaned
from bus.lifeline import stdin_reader
from judge.decider import JudgeDecider


async def serve() -> None:
    """Judge the proposals of the run on standard input until the parent is gone."""
    reader = await stdin_reader()
    boot = await read_boot(reader)
    await until_orphaned(reader, run_decider(boot, JudgeDecider(boot.run, boot.instance)))


if __name__ == "__main__":
    sys.exit(run_process(serve()))
