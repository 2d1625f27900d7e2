"""The gate's data cannot be changed once it is made: a decision is derived again from it."""

import importlib
import pkgutil

import pytest
from msgspec import Struct

import sidecar.gate

STRUCTS = sorted(
    {
        value
        for module in pkgutil.iter_modules(sidecar.gate.__path__, "sidecar.gate.")
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, type) and issubclass(value, Struct) and value is not Struct
    },
    key=lambda kind: kind.__qualname__,
)


@pytest.mark.parametrize("kind", STRUCTS)
def test_no_struct_of_the_gate_can_be_changed(kind: type[Struct]) -> None:
    assert kind.__struct_config__.frozen
