"""The console's pages, and its API's, over a large ledger, beside a bare page of the same server.

The server is the console's own application on uvicorn with TLS, in a process of its own, over a
ledger that stands in a real stream; an admin reads. Pages and floor take turns on one connection.
"""

import argparse
import json
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx

from bench.house import quantile

ROUNDS: Final = 40
_WARM: Final = 3


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """`pages` {name: {`median_ms`, `p99_ms`, `kb`, `floor_ms`}}; `start_s` is how long the console
    took to fold the ledger before it served.
    """
    runs = max(100, options.events // 100)
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.browsed", str(options.events), str(runs)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line:
            raise RuntimeError("the console did not come up; see above")
        return _measured(json.loads(line))
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()


def _measured(where: dict[str, Any]) -> dict[str, Any]:
    # Its certificate is made for this run alone.
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    cookies = {"__Host-session": where["cookie"]}
    headers = {"authorization": f"Bearer {where['token']}"}
    with httpx.Client(
        base_url=where["url"], verify=trusting, cookies=cookies, headers=headers
    ) as client:
        pages = {name: _page(client, path) for name, path in where["pages"].items()}
    return {
        "events": where["events"],
        "runs": where["runs"],
        "start_s": where["start_s"],
        "slowest_ms": max(page["median_ms"] for page in pages.values()),
        "pages": pages,
    }


def _page(client: httpx.Client, path: str) -> dict[str, float]:
    taken: list[float] = []
    floor: list[float] = []
    kb = 0.0
    for number in range(ROUNDS + _WARM):
        for place, times in (("/bare", floor), (path, taken)):
            began = time.perf_counter()
            answer = client.get(place)
            done = (time.perf_counter() - began) * 1_000
            if answer.status_code != 200:
                raise RuntimeError(f"{place} answered {answer.status_code}: {answer.text[:200]}")
            kb = len(answer.content) / 1_024
            if number >= _WARM:
                times.append(done)
    return {
        "median_ms": quantile(taken, 0.5),
        "p99_ms": quantile(taken, 0.99),
        "kb": kb,
        "floor_ms": quantile(floor, 0.5),
    }
