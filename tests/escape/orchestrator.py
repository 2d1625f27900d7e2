"""The real orchestrator, but for the program that it starts as each run's runtime."""

import argparse
import sys
from pathlib import Path

from agents.__main__ import orchestrate
from agents.processes import COMMANDS
from bus.component import run_process
from bus.folder import DataFolder
from schemas.names import Role

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    commands = {**COMMANDS, Role.RUNTIME: ("tests.escape.runtime",)}
    sys.exit(run_process(orchestrate(DataFolder(parser.parse_args().data), commands)))
