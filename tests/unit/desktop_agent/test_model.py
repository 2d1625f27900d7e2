"""Weights are read strictly, and become the file that whisper.cpp's own loader describes.

The reader of ggml in here is written from whisper.cpp's description of the layout, and shares
nothing with the writer.
"""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_agent.errors import (
    ModelDamaged,
    ModelError,
    ModelExists,
    ModelMissing,
    ModelUnsupported,
)
from desktop_agent.model.ctranslate import read_weights
from desktop_agent.model.ggml import convert
from desktop_agent.model.mel import mel_filters
from desktop_agent.model.prepare import check_model, prepare
from desktop_agent.model.vocabulary import text_tokens
from tests.unit.desktop_agent.models import AUDIO, HEADS, STATE, TEXT, VOCABULARY, tensors, written

GOOD = written(tensors())


def ggml(data: bytes) -> tuple[tuple[int, ...], np.ndarray, list[bytes], dict[str, np.ndarray]]:
    file = io.BytesIO(data)

    def ints(count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}i", file.read(4 * count))

    assert file.read(4) == b"lmgg"
    sizes = ints(11)
    bands, frequencies = ints(2)
    filters = np.frombuffer(file.read(4 * bands * frequencies), "<f4").reshape(bands, frequencies)
    words = [file.read(ints(1)[0]) for _ in range(ints(1)[0])]
    found = {}
    while head := file.read(12):
        rank, length, kind = struct.unpack("<3i", head)
        shape = tuple(reversed(ints(rank)))
        name = file.read(length).decode()
        dtype = np.dtype({0: "<f4", 1: "<f2"}[kind])
        count = int(np.prod(shape))
        found[name] = np.frombuffer(file.read(count * dtype.itemsize), dtype).reshape(shape)
    return sizes, filters, words, found


def converted() -> tuple[tuple[int, ...], np.ndarray, list[bytes], dict[str, np.ndarray]]:
    return ggml(b"".join(convert(read_weights(GOOD), text_tokens(VOCABULARY))))


def test_sizes_come_from_the_tensors() -> None:
    sizes, *_ = converted()
    assert sizes == (len(VOCABULARY), AUDIO, STATE, HEADS, 1, TEXT, STATE, HEADS, 1, 80, 1)


def test_tokens_are_bytes_up_to_the_end_of_text() -> None:
    _, _, words, _ = converted()
    assert words == [b"!", b" a", b"\n", b"<|endoftext|>"]


def test_fused_projections_are_split_in_the_order_query_key_value() -> None:
    given_, (*_, found) = tensors(), converted()
    fused = given_["encoder/layer_0/self_attention/linear_0/weight"]
    for place, part in enumerate(("query", "key", "value")):
        rows = fused[place * STATE : (place + 1) * STATE]
        assert (found[f"encoder.blocks.0.attn.{part}.weight"] == rows).all()
    both = given_["decoder/layer_0/attention/linear_1/weight"]
    assert (found["decoder.blocks.0.cross_attn.key.weight"] == both[:STATE]).all()
    assert (found["decoder.blocks.0.cross_attn.value.weight"] == both[STATE:]).all()


def test_a_key_has_no_bias() -> None:
    *_, found = converted()
    assert "encoder.blocks.0.attn.query.bias" in found
    assert not [name for name in found if "key.bias" in name]


def test_matrices_are_halves_and_what_whisper_insists_on_is_whole() -> None:
    *_, found = converted()
    assert found["decoder.token_embedding.weight"].dtype == np.float16
    assert found["encoder.conv1.weight"].dtype == np.float16
    for name in ("encoder.positional_embedding", "decoder.positional_embedding"):
        assert found[name].dtype == np.float32
    assert found["encoder.conv1.bias"].shape == (STATE, 1)
    assert found["encoder.conv1.bias"].dtype == np.float32
    assert found["encoder.ln_post.weight"].dtype == np.float32


def test_filters_are_triangles_of_equal_area_over_all_of_the_spectrum() -> None:
    filters = mel_filters()
    assert filters.shape == (80, 201)
    assert filters.min() == 0.0
    peaks = filters.argmax(axis=1)
    assert (np.diff(peaks.astype(int)) >= 0).all()
    # Well sampled triangles: Slaney's normalisation makes each integrate to 1 over 40 Hz steps.
    assert np.allclose(filters[60:].sum(axis=1) * 40, 1.0, atol=0.02)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (written(tensors(), version=5), ModelUnsupported),
        (written(tensors(), kind="TransformerSpec"), ModelUnsupported),
        (GOOD + b"\0", ModelDamaged),
        (b"", ModelDamaged),
    ],
)
def test_another_file_is_refused(data: bytes, error: type[ModelError]) -> None:
    with pytest.raises(error):
        read_weights(data)


@given(st.integers(0, len(GOOD) - 1))
def test_a_file_cut_anywhere_is_damaged(end: int) -> None:
    with pytest.raises(ModelDamaged):
        read_weights(GOOD[:end])


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_data_or_an_error_that_says_what(place: int, change: int) -> None:
    data = bytearray(GOOD)
    data[place] ^= change
    try:
        b"".join(convert(read_weights(bytes(data)), text_tokens(VOCABULARY)))
    except ModelError as error:
        assert error.what


def test_a_model_without_a_tensor_is_refused_by_its_name() -> None:
    less = tensors()
    del less["encoder/layer_0/ffn/linear_1/bias"]
    with pytest.raises(ModelUnsupported, match="encoder/layer_0/ffn/linear_1/bias"):
        list(convert(read_weights(written(less)), text_tokens(VOCABULARY)))


def test_the_same_weights_make_the_same_file_and_replace_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(GOOD)
    (tmp_path / "vocabulary.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    one = prepare(tmp_path, tmp_path / "one.bin")
    two = prepare(tmp_path, tmp_path / "two.bin")
    assert one.sha256 == two.sha256
    check_model(tmp_path / "one.bin", one.sha256)
    with pytest.raises(ModelExists):
        prepare(tmp_path, tmp_path / "one.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("model.bin", "one.bin", "two.bin", "vocabulary.txt")
    ]


def test_a_model_that_was_not_approved_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    with pytest.raises(ModelMissing):
        check_model(path, "0" * 64)
    path.write_bytes(b"something else")
    with pytest.raises(ModelDamaged, match="hashes to"):
        check_model(path, "0" * 64)
