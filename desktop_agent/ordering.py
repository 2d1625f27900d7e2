"""The order for a capture, from the settings and the keys in the agent's folder."""

from pathlib import Path

from desktop_agent.capture.messages import Order
from desktop_agent.enrolled import enrolled_in, is_enrolled
from desktop_agent.home import settings_in, token_key_in
from desktop_agent.model.prepare import check_model


def order_for(home: Path, descriptor: int | None) -> Order:
    """Listen to the open sound file `descriptor`, or to the device that the settings name.

    Raises `BadDesktopSettings`, `ModelError`, `NotEnrolled` or `KeyFileError`.
    """
    settings = settings_in(home)
    check_model(Path(settings.model), settings.model_sha256)
    return Order(
        model=settings.model,
        language=settings.language,
        threads=settings.threads,
        descriptor=descriptor,
        device=settings.device,
        token_key=(
            enrolled_in(home).admission.token_key if is_enrolled(home) else token_key_in(home)
        ),
        persons=settings.persons,
        organisations=settings.organisations,
        walls_required=settings.walls == "required",
    )
