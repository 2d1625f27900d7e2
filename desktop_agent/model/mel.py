"""The filter bank that turns a spectrum into the mel bands Whisper was trained on.

Slaney's scale (linear below 1,000 Hz, logarithmic above) with each triangle of equal area.
Source: M. Slaney, "Auditory Toolbox" (1998); Whisper's paper (arXiv 2212.04356) for 80 bands
over a Fourier transform of 400 samples at 16 kHz.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16_000
TRANSFORM: Final = 400
_LINEAR_HZ: Final = 200.0 / 3.0
_KNEE_HZ: Final = 1_000.0
_KNEE_MEL: Final = _KNEE_HZ / _LINEAR_HZ
_STEP: Final = np.log(6.4) / 27.0


def mel_filters(bands: int = 80) -> NDArray[np.float32]:
    """`bands` rows over the 201 frequencies of the transform."""
    frequencies = np.linspace(0.0, SAMPLE_RATE / 2, TRANSFORM // 2 + 1)
    edges = _to_hz(np.linspace(0.0, _to_mel(SAMPLE_RATE / 2), bands + 2))
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (frequencies - low) / (peak - low)
    falling = (high - frequencies) / (high - peak)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (high - low))).astype(np.float32)


def _to_mel(hz: float) -> float:
    if hz < _KNEE_HZ:
        return hz / _LINEAR_HZ
    return float(_KNEE_MEL + np.log(hz / _KNEE_HZ) / _STEP)


def _to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _KNEE_HZ * np.exp(_STEP * (mel - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ, above)
