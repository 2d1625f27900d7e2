"""Signature checks spread over processes: each core checks, the first one also keeps the order.

`Spread` reads entries ahead, hands batches to helpers over pipes, and yields the entries in
order with what is known of their signatures; while an answer is missing it checks batches
itself, so that no core waits. A helper that dies costs time only: what it owed is checked
here. A window bounds what is read ahead, so memory does not grow with the ledger.
"""

import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from itertools import islice
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Self

from msgspec import Struct

from ledger.export import ExportedEntry
from ledger.signatures import (
    UNKNOWN,
    Batch,
    Keys,
    claimed_keys,
    decode_answers,
    encode_batch,
    full,
)

IN_FLIGHT: Final = 2
"""Batches a helper holds: one under way, one in its pipe."""
WINDOW: Final = 6
"""Batches read ahead, for each process."""
BEAT: Final = 32
"""Entries that the first process handles between two looks at its helpers."""

END_S: Final = 10
"""How long a helper may take to notice that it is no longer needed."""

Known = tuple[ExportedEntry, bytes]
"""An entry, and the public key that its signature was seen to verify under, or `UNKNOWN`."""


class _Waiting(Struct):
    """A batch in the window. `answers` grows to the length of `entries`."""

    entries: list[ExportedEntry]
    answers: list[bytes] = []
    helper: "_Helper | None" = None

    @property
    def answered(self) -> bool:
        return len(self.answers) == len(self.entries)

    @property
    def pending(self) -> bool:
        """Whether a helper owes the answer."""
        return self.helper is not None and not self.answered


class Spread:
    """`cores` processes in all, this one among them. A context manager; ends its helpers.

    `root_public` is the raw root key, under which the first entries are tried.
    """

    def __init__(self, cores: int, root_public: bytes) -> None:
        if cores < 1:
            raise ValueError(f"{cores} cores")
        self._helpers = [_Helper(root_public) for _ in range(cores - 1)]
        self._keys = Keys()
        self._keys.learn([root_public])
        self._window: deque[_Waiting] = deque()
        self._room = WINDOW * cores

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for helper in self._helpers:
            helper.end()

    @property
    def helpers(self) -> tuple[int, ...]:
        """The helpers' process ids."""
        return tuple(helper.pid for helper in self._helpers)

    def ahead(self, entries: Iterator[ExportedEntry], skip: int = 0) -> Iterator[Known]:
        """Every entry in order; of the first `skip` no signature is checked."""
        if not self._helpers:
            for entry in entries:
                yield entry, UNKNOWN
            return
        for entry in islice(entries, skip):
            self._learn(claimed_keys(entry))
            yield entry, UNKNOWN
        self._window.clear()
        batches = _batches(entries)
        while True:
            self._fill(batches)
            if not self._window:
                return
            yield from self._first()

    def _first(self) -> Iterator[Known]:
        """The first batch of the window, entry by entry, once it is answered."""
        first = self._window[0]
        while first.helper is not None and first.pending:
            spare = next((b for b in self._window if b.helper is None and not b.answered), None)
            if spare is None:
                first.helper.wait()
            else:
                self._check_some(spare)
            self._attend()
        self._window.popleft()
        for number, entry in enumerate(first.entries):
            if number % BEAT == 0:
                self._attend()
            yield entry, first.answers[number] if number < len(first.answers) else UNKNOWN

    def _fill(self, batches: Iterator[tuple[list[ExportedEntry], tuple[bytes, ...]]]) -> None:
        while len(self._window) < self._room:
            batch = next(batches, None)
            if batch is None:
                return
            entries, keys = batch
            self._learn(keys)
            self._window.append(_Waiting(entries))
            self._attend()

    def _learn(self, keys: tuple[bytes, ...]) -> None:
        if keys:
            self._keys.learn(keys)
            for helper in filter(_Helper.is_alive, self._helpers):
                helper.news.extend(keys)

    def _check_some(self, batch: _Waiting) -> None:
        done = len(batch.answers)
        bodies = (entry.body for entry in batch.entries[done : done + BEAT])
        batch.answers.extend(self._keys.check(bodies))

    def _attend(self) -> None:
        """Take in what helpers have answered, and hand them what is theirs to check."""
        for helper in self._helpers:
            helper.collect()
            while helper.free:
                # The first batch is this process's own, should it get there before a helper.
                late = islice(self._window, 1, None)
                batch = next((b for b in late if b.helper is None and not b.answers), None)
                if batch is None:
                    break
                helper.hand(batch)


class _Helper:
    """One process that checks batches, and the pipe to it."""

    def __init__(self, root_public: bytes) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # A fresh interpreter that loads the checking alone: what this process has open or
            # locked is not carried over, nor its command line's many imports.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ledger.checking", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        self._pipe = Connection(ours.detach())
        self._owed: deque[_Waiting] = deque()
        self._alive = True
        self.news: list[bytes] = [root_public]

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._alive

    @property
    def free(self) -> bool:
        return self._alive and len(self._owed) < IN_FLIGHT

    def hand(self, batch: _Waiting) -> None:
        bodies = tuple(entry.body for entry in batch.entries)
        try:
            self._pipe.send_bytes(encode_batch(Batch(tuple(self.news), bodies)))
        except OSError:
            self._lost()
            return
        self.news.clear()
        batch.helper = self
        self._owed.append(batch)

    def collect(self) -> None:
        try:
            while self._owed and self._pipe.poll():
                self._take()
        except (OSError, EOFError):
            self._lost()

    def wait(self) -> None:
        """Until the oldest batch is answered."""
        try:
            self._take()
        except (OSError, EOFError):
            self._lost()

    def end(self) -> None:
        self._pipe.close()
        try:
            self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _take(self) -> None:
        answers = decode_answers(self._pipe.recv_bytes())
        self._owed.popleft().answers = answers

    def _lost(self) -> None:
        self._alive = False
        for batch in self._owed:
            batch.helper = None
        self._owed.clear()


def _batches(
    entries: Iterator[ExportedEntry],
) -> Iterator[tuple[list[ExportedEntry], tuple[bytes, ...]]]:
    """The entries in batches, each with the keys claimed in it."""
    held: list[ExportedEntry] = []
    keys: list[bytes] = []
    size = 0
    for entry in entries:
        held.append(entry)
        keys += claimed_keys(entry)
        size += len(entry.body)
        if full(held, size):
            yield held, tuple(keys)
            held, keys, size = [], [], 0
    if held:
        yield held, tuple(keys)
