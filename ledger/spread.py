"""Signature checks spread over processes: each core checks, the first one also keeps the order.

`Spread` reads entries ahead, takes each apart once, hands batches of checks to helpers, and
yields the entries in order with what is known of their signatures; while an answer is missing
it checks batches itself, so that no core waits. A helper that dies costs time only: what it owed
is checked here. A window bounds what is read ahead, so memory does not grow with the ledger.
"""

import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import compress, islice, starmap
from types import TracebackType
from typing import Final, Self

from crypto.ed25519 import holds
from crypto.errors import Unreadable
from crypto.opening import Opened
from ledger.checking import Check, Holds, frame_of, read_frame
from ledger.export import ExportedEntry
from ledger.signatures import Keys, Known, Question, opened_or_not, unasked

BATCH_CHECKS: Final = 96
BATCH_BYTES: Final = 56 * 1024
"""Two batches fit into a socket's buffer (208 KiB on Linux), so that handing over never waits."""
IN_FLIGHT: Final = 2
"""Batches a helper holds: one under way, one in its socket."""
WINDOW: Final = 6
"""Batches read ahead, for each process."""
BEAT: Final = 32
"""Checks that the first process makes between two looks at its helpers."""

END_S: Final = 10
"""How long a helper may take to notice that it is no longer needed."""

_Taken = tuple[ExportedEntry, Opened | Unreadable, tuple[Question, ...]]


class _Waiting:
    """A batch in the window: its entries, the checks that they ask for, in order, and the answers.

    `answers`, a byte a check, grow to the number of checks.
    """

    def __init__(self) -> None:
        self.entries: list[_Taken] = []
        self.checks: list[Check] = []
        self.answers = b""
        self.size = 0
        self.helper: _Helper | None = None

    def add(self, taken: _Taken) -> bool:
        """Whether it takes more. Entries that ask for nothing count too: it is what is held."""
        self.entries.append(taken)
        for question in taken[2]:
            self.checks.append(question.check)
            self.size += len(question.payload)
        most = max(len(self.entries), len(self.checks))
        return most < BATCH_CHECKS and self.size < BATCH_BYTES

    @property
    def answered(self) -> bool:
        return len(self.answers) == len(self.checks)

    @property
    def pending(self) -> bool:
        """Whether a helper owes the answer."""
        return self.helper is not None and not self.answered

    def check_some(self, holds: Holds) -> None:
        done = len(self.answers)
        self.answers += bytes(holds(*check) for check in self.checks[done : done + BEAT])

    def known(self) -> Iterator[Known]:
        """The entries in order, each with those of its signatures that hold."""
        if all(self.answers):
            yield from starmap(Known, self.entries)
            return
        answers = iter(self.answers)
        for entry, opened, asked in self.entries:
            yield Known(entry, opened, tuple(compress(asked, answers)))


class Spread:
    """`cores` processes in all, this one among them. A context manager; ends its helpers.

    `root_public` is the raw root key, under which the first entries are tried. Without `receipts`
    the signatures inside receipts are left alone. With `sodium` that library says which hold
    (`crypto.sodium`), and what it refuses is as if it had not been asked for.
    """

    def __init__(
        self, cores: int, root_public: bytes, *, receipts: bool = True, sodium: bool = False
    ) -> None:
        if cores < 1:
            raise ValueError(f"{cores} cores")
        self._helpers = [_Helper(sodium) for _ in range(cores - 1)]
        self._holds = _sodium() if sodium else holds
        self._keys = partial(Keys, root_public, receipts=receipts)
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
        """Every entry in order; of the first `skip` the receipts' own signatures alone are
        checked."""
        if not self._helpers:
            yield from unasked(entries)
            return
        self._window.clear()
        batches = _batches(entries, self._keys(), skip)
        while True:
            self._fill(batches)
            if not self._window:
                return
            yield from self._first().known()

    def _first(self) -> _Waiting:
        """The first batch of the window, answered and taken out of it."""
        first = self._window[0]
        while not first.answered:
            if first.helper is None:
                first.check_some(self._holds)
            elif spare := next(
                (b for b in self._window if b.helper is None and not b.answered), None
            ):
                spare.check_some(self._holds)
            else:
                first.helper.wait()
            self._attend()
        return self._window.popleft()

    def _fill(self, batches: Iterator[_Waiting]) -> None:
        for batch in islice(batches, self._room - len(self._window)):
            self._window.append(batch)
            self._attend()

    def _attend(self) -> None:
        """Take in what helpers have answered, and hand them what is theirs to check."""
        for helper in self._helpers:
            helper.collect()
            while helper.free:
                # The first batch is this process's own, should it get there before a helper.
                late = islice(self._window, 1, None)
                batch = next(
                    (b for b in late if b.helper is None and b.checks and not b.answers), None
                )
                if batch is None:
                    break
                helper.hand(batch)


class _Helper:
    """One process that checks batches, and the socket to it."""

    def __init__(self, sodium: bool) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            # A fresh interpreter that loads the checking alone: what this process has open or
            # locked is not carried over, nor its command line's many imports.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ledger.checking", *(["sodium"] if sodium else [])],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
            )
        self._owed: deque[_Waiting] = deque()
        self._alive = True

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def free(self) -> bool:
        return self._alive and len(self._owed) < IN_FLIGHT

    def hand(self, batch: _Waiting) -> None:
        try:
            self._socket.sendall(frame_of(batch.checks))
        except OSError:
            self._lost()
            return
        batch.helper = self
        self._owed.append(batch)

    def collect(self) -> None:
        """Take in every answer that is there."""
        while self._owed and self._speaks():
            self.wait()

    def wait(self) -> None:
        """Until the oldest batch is answered."""
        try:
            answers = read_frame(lambda size: self._socket.recv(size, socket.MSG_WAITALL))
        except (OSError, EOFError):
            self._lost()
            return
        batch = self._owed.popleft()
        if len(answers) == len(batch.checks):
            batch.answers = answers
        else:
            batch.helper = None

    def end(self) -> None:
        self._socket.close()
        try:
            self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _speaks(self) -> bool:
        """Whether there is anything to read, be it that the helper is gone."""
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def _lost(self) -> None:
        self._alive = False
        for batch in self._owed:
            batch.helper = None
        self._owed.clear()


def _sodium() -> Holds:
    # Loaded for whoever asks for it, as the helpers do.
    from crypto.sodium import says_yes

    return says_yes


def _batches(entries: Iterator[ExportedEntry], keys: Keys, skip: int) -> Iterator[_Waiting]:
    """The entries in batches, each with its questions under the keys claimed before it."""
    batch = _Waiting()
    for number, entry in enumerate(entries):
        opened = opened_or_not(entry)
        asked: tuple[Question, ...] = ()
        if isinstance(opened, Opened):
            asked = keys.questions(opened, receipt_alone=number < skip)
        if not batch.add((entry, opened, asked)):
            yield batch
            batch = _Waiting()
    if batch.entries:
        yield batch
