"""The agent's process as the program has it: words go in, what it says comes out as signals."""

import sys
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QProcess, Signal

from desktop_agent.agent.messages import Word, decode_told, encode
from schemas.errors import UNREADABLE

_GRACE_MS: Final = 10_000


class AgentProcess(QObject):
    """Started with `start`. `told` carries each message; `gone` says why it ended by itself."""

    told = Signal(object)
    gone = Signal(str)

    def __init__(self, home: Path, bus: str | None) -> None:
        super().__init__()
        self._process = QProcess(self)
        self._process.setProgram(sys.executable)
        where = ["--bus", bus] if bus else []
        self._process.setArguments(
            ["-I", "-m", "desktop_agent.agent", "--home", str(home.absolute()), *where]
        )
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.ForwardedErrorChannel)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)
        self._ending = False

    def start(self) -> None:
        """Start it."""
        self._process.start()

    def ask(self, word: Word) -> None:
        """Ask for `word`."""
        self._process.write(encode(word))

    def end(self) -> None:
        """Ask nothing more, and wait until it has kept what was heard."""
        self._ending = True
        self._process.closeWriteChannel()
        if not self._process.waitForFinished(_GRACE_MS):
            self._process.kill()
            self._process.waitForFinished()

    @property
    def pid(self) -> int:
        """Its process id; 0 where none runs."""
        return int(self._process.processId())

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                self.told.emit(decode_told(line))
            except UNREADABLE as error:
                self.gone.emit(f"the agent said what is no message: {error}")
                self._ending = True
                self._process.kill()
                return

    def _finished(self, code: int) -> None:
        self._read()
        if not self._ending:
            self.gone.emit(f"the agent ended by itself (exit code {code})")

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self.gone.emit(f"the agent does not start: {self._process.errorString()}")
