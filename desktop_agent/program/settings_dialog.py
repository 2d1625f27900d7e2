"""The settings that a rep changes often; the agent checks them and writes `desktop.toml`."""

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from desktop_agent.agent.messages import Change, Choice, Here


class SettingsDialog(QDialog):
    """Shows `here`; `change` is what was chosen. `choices` can be the source that is kept."""

    def __init__(
        self, here: Here, choices: tuple[Choice, ...] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(460)
        self.source = QComboBox()
        self.source.addItem("The system's default source", None)
        for choice in choices:
            # By name: the numbers change with what is plugged in.
            self.source.addItem(choice.name, choice.name)
        if self.source.findData(here.source) < 0:
            self.source.addItem(f"Device {here.source}", here.source)
        self.source.setCurrentIndex(self.source.findData(here.source))
        self.consent = QLineEdit(here.consent)
        self.consent.setMaxLength(500)
        self.hold = QSpinBox()
        self.hold.setRange(0, 86_400)
        self.hold.setSuffix(" s")
        self.hold.setValue(here.hold_s)
        self.persons = _names(here.persons)
        self.organisations = _names(here.organisations)
        form = QFormLayout(self)
        form.addRow("Listen to", self.source)
        form.addRow("Consent note", self.consent)
        form.addRow("Hold each segment for", self.hold)
        form.addRow("Names of people,\none a line", self.persons)
        form.addRow("Organisations,\none a line", self.organisations)
        about = QLabel(
            "Listed names are masked wherever they are heard. What else is in desktop.toml (model,"
            " language, walls) is changed there, with an editor."
        )
        about.setWordWrap(True)
        form.addRow(about)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    @property
    def change(self) -> Change:
        """What is in the fields."""
        return Change(
            device=self.source.currentData(),
            consent=self.consent.text().strip(),
            hold_s=self.hold.value(),
            persons=_listed(self.persons),
            organisations=_listed(self.organisations),
        )


def _names(names: tuple[str, ...]) -> QPlainTextEdit:
    field = QPlainTextEdit("\n".join(names))
    field.setFixedHeight(84)
    field.setTabChangesFocus(True)
    return field


def _listed(field: QPlainTextEdit) -> tuple[str, ...]:
    lines = field.toPlainText().splitlines()
    return tuple(name for line in lines if (name := line.strip()))
