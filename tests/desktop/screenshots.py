"""`python -m tests.desktop.screenshots [--out docs/images]`: the program's screens, light and dark.

The real program with its real agent, model and queue, on a machine whose bus is away, listening to
synthesised speech. Only the refusal is told to it and not met: here is no system to refuse.
Without a screen it draws by Qt's `offscreen`; under Xvfb (`xvfb-run`) as there.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from desktop_agent.agent.messages import Failed, Queued
from desktop_agent.home import found
from desktop_agent.model.prepare import prepare, weights_folder
from desktop_agent.program.model import (
    ConsentNoted,
    Fate,
    PauseToggled,
    Phase,
    SourceChosen,
    Toggled,
    WithdrawPressed,
)
from tests.desktop.machine import admit
from tests.desktop.screen import until
from tests.desktop.sound import endless

SAID = (
    "Good morning, and thank you for your time today.",
    "My name is Patrick Doyle, and my number is four one five, five five five, zero one nine"
    " eight.",
    "We would pay forty eight thousand dollars for the first year.",
    "Please send me the contract before the end of the week.",
)
REFUSED = Failed(
    what="the system does not let this program hear the device: Permission denied",
    fix="allow the microphone in the system's settings; see what else uses it",
    refused=True,
    capture=True,
)


def photograph(out: Path, dark: bool) -> None:
    """Play one capture, and take the pictures."""
    from PySide6.QtGui import QColor, QPalette
    from PySide6.QtWidgets import QApplication, QWidget

    from desktop_agent.program.running import Program
    from desktop_agent.program.settings_dialog import SettingsDialog

    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setStyle("Fusion")
    # As Fusion has it from a system that is set to dark; `offscreen` is no system that is.
    palette = QPalette(QColor("#2b2d30")) if dark else QPalette(QColor("#efefef"))
    application.setPalette(palette)
    with tempfile.TemporaryDirectory(prefix="anyteam-pictures-") as place:
        folder = Path(place)
        made = prepare(weights_folder(), folder / "tiny.en.bin")
        endless(folder / "call.wav", SAID)
        home = folder / "home"
        found(home, Path(made.path), made.sha256)
        (home / "desktop.toml").open("a").write("hold_s = 3600\norganisations = ['Contoso']\n")
        admit(home)
        program = Program(home, None)

        def take(name: str, widget: QWidget) -> None:
            application.processEvents()
            path = out / f"desktop-{name}-{'dark' if dark else 'light'}.png"
            assert widget.grab().save(str(path))
            print(path)

        program.start()
        try:
            until(application, lambda: program.state.here is not None)
            take("idle", program.window)
            program.press(ConsentNoted("Dana and Ann agreed at the beginning of the call"))
            program.window.show_consent(program.state.consent)
            program.press(SourceChosen(file=str(folder / "call.wav")))
            program.press(Toggled())
            until(application, lambda: len(program.state.lines) >= 2)
            held = [line.number for line in program.state.lines if line.fate is Fate.HELD]
            assert held[0] is not None
            program.press(WithdrawPressed(held[0]))
            until(
                application, lambda: any(one.fate is Fate.WITHDRAWN for one in program.state.lines)
            )
            assert program.state.phase is Phase.RECORDING, program.state.phase
            take("recording", program.window)
            take("reminder", program.reminder)
            program.press(PauseToggled())
            until(application, lambda: program.state.phase is Phase.PAUSED)
            take("paused", program.window)
            take("reminder-paused", program.reminder)
            program.press(Toggled())
            until(
                application,
                lambda: program.state.phase is Phase.IDLE and bool(program.state.queued.away),
            )
            take("offline", program.window)
            assert program.state.here is not None
            take(
                "settings",
                SettingsDialog(program.state.here, program.state.sources, program.window),
            )
            program.happen(Queued(0, 0))
            program.state = program.state.__class__(here=program.state.here)
            program.happen(REFUSED)
            take("refused", program.window)
        finally:
            program.end()


def main() -> int:
    """Take all pictures; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.desktop.screenshots")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    if not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for dark in (False, True):
        photograph(out, dark)
    return 0


if __name__ == "__main__":
    sys.exit(main())
