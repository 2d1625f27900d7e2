"""Writes the model file that whisper.cpp reads: magic, sizes, mel filters, tokens, tensors.

All little-endian: `lmgg`, eleven i32 sizes, the filter bank (i32 bands, i32 frequencies, f32
each), the tokens (i32 count; each an i32 length and its bytes), and each tensor (i32 rank, length
of the name and type, its dimensions innermost first, name, data). Matrices are f16; vectors,
positional embeddings and the convolutions' biases f32, which whisper.cpp insists on.
Source: whisper.cpp, models/README.md and its loader's checks.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from desktop_agent.errors import ModelUnsupported
from desktop_agent.model.ctranslate import Tensor, Weights
from desktop_agent.model.mel import mel_filters

MAGIC: Final = 0x67676D6C
_F32: Final = 0
_F16: Final = 1
_BANDS: Final = 80

_Floats = NDArray[Any]


class Sizes(Struct, frozen=True):
    """A Whisper model's dimensions, in the order the file gives them."""

    vocabulary: int
    audio_context: int
    audio_state: int
    audio_heads: int
    audio_layers: int
    text_context: int
    text_state: int
    text_heads: int
    text_layers: int
    bands: int


def sizes_of(weights: Weights) -> Sizes:
    """The dimensions that the tensors have. Raises `ModelUnsupported` where one is missing."""
    embeddings = _shape(weights, "decoder/embeddings/weight", 2)
    hears = _shape(weights, "encoder/position_encodings/encodings", 2)
    speaks = _shape(weights, "decoder/position_encodings/encodings", 2)
    bands = _shape(weights, "encoder/conv1/weight", 3)[1]
    if bands != _BANDS:
        raise ModelUnsupported(f"a model over {bands} mel bands", fix="give one over 80")
    return Sizes(
        vocabulary=embeddings[0],
        audio_context=hears[0],
        audio_state=hears[1],
        audio_heads=_number(weights, "encoder/num_heads"),
        audio_layers=_layers(weights, "encoder"),
        text_context=speaks[0],
        text_state=speaks[1],
        text_heads=_number(weights, "decoder/num_heads"),
        text_layers=_layers(weights, "decoder"),
        bands=bands,
    )


def convert(weights: Weights, tokens: Sequence[bytes]) -> Iterator[bytes]:
    """The file, piece by piece. `tokens` are the text tokens, the end of text last.

    Raises `ModelUnsupported` where the tensors are not those of a Whisper model.
    """
    sizes = sizes_of(weights)
    filters = mel_filters(sizes.bands)
    yield struct.pack("<I", MAGIC)
    yield struct.pack("<11i", *_numbers(sizes), _F16)
    yield struct.pack("<2i", *filters.shape) + filters.astype("<f4").tobytes()
    yield struct.pack("<i", len(tokens))
    for token in tokens:
        yield struct.pack("<i", len(token)) + token
    for name, tensor in _tensors(weights, sizes):
        yield from _written(name, tensor)


def _numbers(sizes: Sizes) -> Iterator[int]:
    for field in sizes.__struct_fields__:
        yield getattr(sizes, field)


def _tensors(weights: Weights, sizes: Sizes) -> Iterator[tuple[str, _Floats]]:
    yield "encoder.positional_embedding", _floats(weights, "encoder/position_encodings/encodings")
    for number in (1, 2):
        yield f"encoder.conv{number}.weight", _floats(weights, f"encoder/conv{number}/weight")
        bias = _floats(weights, f"encoder/conv{number}/bias")
        yield f"encoder.conv{number}.bias", bias.reshape(-1, 1)
    for layer in range(sizes.audio_layers):
        here, there = f"encoder/layer_{layer}", f"encoder.blocks.{layer}"
        yield from _attention(weights, f"{here}/self_attention", there, "attn")
        yield from _feed_forward(weights, here, there)
    yield from _norm(weights, "encoder/layer_norm", "encoder.ln_post")
    yield "decoder.positional_embedding", _floats(weights, "decoder/position_encodings/encodings")
    yield "decoder.token_embedding.weight", _floats(weights, "decoder/embeddings/weight")
    for layer in range(sizes.text_layers):
        here, there = f"decoder/layer_{layer}", f"decoder.blocks.{layer}"
        yield from _attention(weights, f"{here}/self_attention", there, "attn")
        yield from _cross_attention(weights, f"{here}/attention", there)
        yield from _feed_forward(weights, here, there)
    yield from _norm(weights, "decoder/layer_norm", "decoder.ln")


def _attention(weights: Weights, here: str, there: str, kind: str) -> Iterator[tuple[str, _Floats]]:
    """Query, key and value are stored as one matrix, in that order; a key has no bias."""
    matrix = _thirds(weights, f"{here}/linear_0/weight", 3)
    bias = _thirds(weights, f"{here}/linear_0/bias", 3)
    yield from _norm(weights, f"{here}/layer_norm", f"{there}.{kind}_ln")
    yield f"{there}.{kind}.query.weight", matrix[0]
    yield f"{there}.{kind}.query.bias", bias[0]
    yield f"{there}.{kind}.key.weight", matrix[1]
    yield f"{there}.{kind}.value.weight", matrix[2]
    yield f"{there}.{kind}.value.bias", bias[2]
    yield from _linear(weights, f"{here}/linear_1", f"{there}.{kind}.out")


def _cross_attention(weights: Weights, here: str, there: str) -> Iterator[tuple[str, _Floats]]:
    """The query by itself; key and value as one matrix."""
    matrix = _thirds(weights, f"{here}/linear_1/weight", 2)
    bias = _thirds(weights, f"{here}/linear_1/bias", 2)
    yield from _norm(weights, f"{here}/layer_norm", f"{there}.cross_attn_ln")
    yield from _linear(weights, f"{here}/linear_0", f"{there}.cross_attn.query")
    yield f"{there}.cross_attn.key.weight", matrix[0]
    yield f"{there}.cross_attn.value.weight", matrix[1]
    yield f"{there}.cross_attn.value.bias", bias[1]
    yield from _linear(weights, f"{here}/linear_2", f"{there}.cross_attn.out")


def _feed_forward(weights: Weights, here: str, there: str) -> Iterator[tuple[str, _Floats]]:
    yield from _norm(weights, f"{here}/ffn/layer_norm", f"{there}.mlp_ln")
    yield from _linear(weights, f"{here}/ffn/linear_0", f"{there}.mlp.0")
    yield from _linear(weights, f"{here}/ffn/linear_1", f"{there}.mlp.2")


def _linear(weights: Weights, here: str, there: str) -> Iterator[tuple[str, _Floats]]:
    yield f"{there}.weight", _floats(weights, f"{here}/weight")
    yield f"{there}.bias", _floats(weights, f"{here}/bias")


def _norm(weights: Weights, here: str, there: str) -> Iterator[tuple[str, _Floats]]:
    yield f"{there}.weight", _floats(weights, f"{here}/gamma")
    yield f"{there}.bias", _floats(weights, f"{here}/beta")


def _written(name: str, tensor: _Floats) -> Iterator[bytes]:
    whole = tensor.ndim < 2 or tensor.shape[-1] == 1 or name.endswith("positional_embedding")
    kind, dtype = (_F32, "<f4") if whole else (_F16, "<f2")
    yield struct.pack("<3i", tensor.ndim, len(name), kind)
    yield struct.pack(f"<{tensor.ndim}i", *reversed(tensor.shape))
    yield name.encode("ascii")
    yield tensor.astype(dtype).tobytes()


def _thirds(weights: Weights, name: str, parts: int) -> list[_Floats]:
    tensor = _floats(weights, name)
    if tensor.shape[0] % parts:
        raise ModelUnsupported(f"{name} cannot be split into {parts}")
    return np.split(tensor, parts)


def _layers(weights: Weights, side: str) -> int:
    names = weights.tensors
    count = 0
    while f"{side}/layer_{count}/ffn/linear_0/weight" in names:
        count += 1
    return count


def _number(weights: Weights, name: str) -> int:
    return int(_tensor(weights, name))


def _shape(weights: Weights, name: str, rank: int) -> tuple[int, ...]:
    shape = _tensor(weights, name).shape
    if len(shape) != rank:
        raise ModelUnsupported(f"{name} has {len(shape)} dimensions, not {rank}")
    return shape


def _floats(weights: Weights, name: str) -> _Floats:
    tensor = _tensor(weights, name)
    if not np.issubdtype(tensor.dtype, np.floating):
        raise ModelUnsupported(
            f"{name} is stored in {tensor.dtype}", fix="give a model in float16 or float32"
        )
    return tensor


def _tensor(weights: Weights, name: str) -> Tensor:
    tensor = weights.tensors.get(name)
    if tensor is None:
        raise ModelUnsupported(f"the model has no {name}", fix="give a Whisper model")
    return tensor
