"""A Whisper model of the smallest size that has every kind of tensor, as CTranslate2 writes it."""

import struct

import numpy as np

VOCABULARY = ("!", "\u0120a", "\u010a", "<|endoftext|>", "<|startoftranscript|>", "<|en|>")
STATE, HEADS, AUDIO, TEXT = 4, 2, 6, 8


def tensors() -> dict[str, np.ndarray]:
    """Each filled with numbers of its own, so that none can be taken for another."""
    shapes: dict[str, tuple[int, ...]] = {
        "encoder/conv1/weight": (STATE, 80, 3),
        "encoder/conv1/bias": (STATE,),
        "encoder/conv2/weight": (STATE, STATE, 3),
        "encoder/conv2/bias": (STATE,),
        "encoder/position_encodings/encodings": (AUDIO, STATE),
        "decoder/position_encodings/encodings": (TEXT, STATE),
        "decoder/embeddings/weight": (len(VOCABULARY), STATE),
    }
    for side in ("encoder", "decoder"):
        here = f"{side}/layer_0"
        for name in (
            f"{side}/layer_norm",
            f"{here}/ffn/layer_norm",
            f"{here}/self_attention/layer_norm",
        ):
            shapes |= {f"{name}/gamma": (STATE,), f"{name}/beta": (STATE,)}
        for name, out, into in (
            (f"{here}/self_attention/linear_0", 3 * STATE, STATE),
            (f"{here}/self_attention/linear_1", STATE, STATE),
            (f"{here}/ffn/linear_0", 4 * STATE, STATE),
            (f"{here}/ffn/linear_1", STATE, 4 * STATE),
        ):
            shapes |= {f"{name}/weight": (out, into), f"{name}/bias": (out,)}
    cross = "decoder/layer_0/attention"
    shapes |= {f"{cross}/layer_norm/gamma": (STATE,), f"{cross}/layer_norm/beta": (STATE,)}
    for number, out in ((0, STATE), (1, 2 * STATE), (2, STATE)):
        shapes |= {
            f"{cross}/linear_{number}/weight": (out, STATE),
            f"{cross}/linear_{number}/bias": (out,),
        }
    made: dict[str, np.ndarray] = {}
    for place, (name, shape) in enumerate(sorted(shapes.items())):
        count = int(np.prod(shape))
        made[name] = (np.arange(count) % 97 + 100 * (place % 17)).astype("<f2").reshape(shape)
    made["encoder/num_heads"] = np.array(HEADS, dtype="<i2")
    made["decoder/num_heads"] = np.array(HEADS, dtype="<i2")
    return made


def written(
    content: dict[str, np.ndarray], *, version: int = 6, kind: str = "WhisperSpec"
) -> bytes:
    """The file. One alias, as the real ones have."""
    codes = {"<f4": 0, "|i1": 1, "<i2": 2, "<f2": 4}
    parts = [struct.pack("<I", version), _name(kind), struct.pack("<II", 3, len(content))]
    for name, tensor in content.items():
        data = tensor.tobytes()
        parts += [_name(name), bytes([tensor.ndim]), struct.pack(f"<{tensor.ndim}I", *tensor.shape)]
        parts += [bytes([codes[tensor.dtype.str]]), struct.pack("<I", len(data)), data]
    parts += [struct.pack("<I", 1), _name("decoder/projection/weight")]
    parts += [_name("decoder/embeddings/weight")]
    return b"".join(parts)


def _name(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"
