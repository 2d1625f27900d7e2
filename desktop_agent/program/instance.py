"""One program for each folder, and the way to tell it something: a socket in the folder itself,
which only its owner can reach.

`anyteam-desktop toggle` comes this way, so that the system's own keyboard settings can bind a key.
"""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from desktop_agent.errors import ProgramAway, ProgramMissing

TOGGLE: Final = b"toggle\n"
SHOW: Final = b"show\n"
_PATIENCE_MS: Final = 10_000
_SOCKET: Final = "program.sock"


class Instance(QObject):
    """The running program's ear. `said` carries each word that another process says."""

    said = Signal(bytes)

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._meet)
        path = _path(home)
        # What a program that was killed left behind: nobody answered there.
        QLocalServer.removeServer(path)
        if not self._server.listen(path):
            raise ProgramMissing(
                f"{path} cannot be listened at: {self._server.errorString()}",
                fix="choose a folder with a shorter path, on a local disk, with --home",
            )

    def close(self) -> None:
        """Hear nobody any more."""
        self._server.close()

    def _meet(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.readyRead.connect(lambda: self._hear(socket))
        socket.disconnected.connect(socket.deleteLater)

    def _hear(self, socket: QLocalSocket) -> None:
        while socket.canReadLine():
            word = bytes(socket.readLine(64).data())
            if word in (TOGGLE, SHOW):
                self.said.emit(word)
                socket.write(b"done\n")
            else:
                socket.disconnectFromServer()


def tell(home: Path, word: bytes) -> None:
    """Say `word` to the program that runs for `home`. Raises `ProgramAway`."""
    socket = QLocalSocket()
    socket.connectToServer(_path(home))
    if socket.waitForConnected(_PATIENCE_MS):
        socket.write(word)
        if socket.waitForReadyRead(_PATIENCE_MS) and bytes(socket.readLine(64).data()):
            return
    raise ProgramAway(f"no desktop program runs for {home}", fix="start it: anyteam-desktop show")


def _path(home: Path) -> str:
    return str(home.absolute() / _SOCKET)
