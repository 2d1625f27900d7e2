"""`python -m judge`: the judge's process for one run, started by the orchestrator."""

import sys

from bus.boot import RunBoot
from bus.client import Client
from bus.confined import run_decider, serve_run
from judge.decider import JudgeDecider


async def judge(boot: RunBoot, client: Client) -> None:
    """Judge the run's proposals."""
    await run_decider(boot, client, JudgeDecider(boot.run, boot.instance))


if __name__ == "__main__":
    sys.exit(serve_run(judge))
