"""What becomes of components' faults: told to an error tracker where the settings name one."""

from typing import TYPE_CHECKING, Protocol

from schemas.faults import read_fault
from schemas.sections import BadSettings
from schemas.settings import Settings

if TYPE_CHECKING:
    from console.reporting import Reporter


class Faults(Protocol):
    """Who is told of components that ended by themselves."""

    def report(self, component: str, code: int, said: bytes) -> None:
        """A component has ended with `code`, having `said` this on its standard output last."""
        ...

    def close(self) -> None:
        """Tell what is yet to be told, and end. Takes seconds at most."""
        ...


def faults_of(settings: Settings) -> Faults:
    """As the settings have it. Raises `BadSettings` where the package for it is missing."""
    if not settings.telemetry.sentry_dsn:
        return _Untold()
    try:
        from console.reporting import Reporter
    except ImportError as error:
        raise BadSettings(
            f"[telemetry] sentry_dsn needs the package {error.name}, which is not installed",
            fix='pip install "anyteam-trust[errors]", or remove it',
        ) from error
    return _Told(Reporter(settings.telemetry.sentry_dsn, settings.telemetry.environment))


class _Untold:
    def report(self, component: str, code: int, said: bytes) -> None:
        """The component's log has it."""

    def close(self) -> None:
        """Nothing is on its way."""


class _Told:
    def __init__(self, reporter: "Reporter") -> None:
        self._reporter = reporter

    def report(self, component: str, code: int, said: bytes) -> None:
        self._reporter.report(component, code, read_fault(said))

    def close(self) -> None:
        self._reporter.close()
