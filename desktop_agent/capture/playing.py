"""A sound file as something that can be paused and stopped like a device. It waits while paused."""

import threading
from collections.abc import Iterator


class Playing:
    """Frames of a file, until `stop`."""

    def __init__(self, frames: Iterator[bytes]) -> None:
        self._frames = frames
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._stopped = False

    def frames(self) -> Iterator[bytes]:
        """The file's frames, one after the other, while it is neither paused nor stopped."""
        for frame in self._frames:
            self._goes_on.wait()
            if self._stopped:
                return
            yield frame

    def pause(self, paused: bool) -> None:
        """Whether it waits."""
        if paused and not self._stopped:
            self._goes_on.clear()
        else:
            self._goes_on.set()

    def stop(self) -> None:
        """End `frames` before the next."""
        self._stopped = True
        self._goes_on.set()
