"""Arbitrary values of any schema type, derived from the Structs themselves.

A new event type or field is covered the day it is written: strategies are built from
msgspec's own description of the types, with their patterns, bounds and lengths.
"""

from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from schemas.authority import AUTHORITY
from schemas.events import Actor, Event
from schemas.jsonschema import body_types

_LONGEST = 40  # of unbounded text and bytes: long enough for a law, short enough for speed
_MOST = 3  # items in a sequence
_INT64 = 2**63 - 1

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-_INT64, _INT64) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@cache
def values(kind: type) -> st.SearchStrategy[Any]:
    """Valid values of `kind`, which msgspec can describe."""
    return _of(inspect.type_info(kind))


@cache
def events(event_type: str) -> st.SearchStrategy[Event]:
    """Valid events of `event_type`, signed for by a role that may sign them."""
    signers = st.sampled_from(AUTHORITY[event_type][1])
    fields = {f.name: _of(f.type) for f in _struct(inspect.type_info(Event)).fields}
    fields["actor"] = st.builds(Actor, signers, _NAMES)
    fields["body"] = values(body_types()[event_type])
    return st.fixed_dictionaries(fields).map(lambda given: Event(**given))


def any_event() -> st.SearchStrategy[Event]:
    """Valid events of every type."""
    return st.sampled_from(list(body_types())).flatmap(events)


def _of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.Metadata():
            pattern = (kind.extra_json_schema or {}).get("pattern")
            return _matching(pattern) if pattern is not None else _of(kind.type)
        case inspect.StructType():
            return _build(kind.cls)
        case inspect.UnionType():
            return st.one_of([_of(each) for each in kind.types])
        case inspect.EnumType():
            return st.sampled_from(list(kind.cls))
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.VarTupleType():
            low = kind.min_length or 0
            return st.lists(_of(kind.item_type), min_size=low, max_size=low + _MOST).map(tuple)
        case inspect.DictType():
            return st.dictionaries(_of(kind.key_type), _of(kind.value_type), max_size=_MOST)
        case inspect.IntType():
            return st.integers(
                -_INT64 if kind.ge is None else kind.ge, _INT64 if kind.le is None else kind.le
            )
        case inspect.StrType():
            if kind.pattern is not None:
                return _matching(kind.pattern)
            low = kind.min_length or 0
            high = _LONGEST + low if kind.max_length is None else kind.max_length
            return st.text(min_size=low, max_size=min(high, _LONGEST + low))
        case inspect.BytesType():
            low = kind.min_length or 0
            high = _LONGEST + low if kind.max_length is None else kind.max_length
            return st.binary(min_size=low, max_size=high)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.AnyType():
            return _JSON
    raise AssertionError(f"no strategy for {kind}")


def _matching(pattern: str) -> st.SearchStrategy[str]:
    # `$` also stands before a final newline, which no name may have.
    return st.from_regex(pattern).filter(lambda text: "\n" not in text)


@cache
def _build(cls: type) -> st.SearchStrategy[Any]:
    described = _struct(inspect.type_info(cls))
    fields = {field.name: _of(field.type) for field in described.fields}
    return st.fixed_dictionaries(fields).map(lambda given: cls(**given))


def _struct(kind: inspect.Type) -> inspect.StructType:
    assert isinstance(kind, inspect.StructType)
    return kind


_NAMES = _of({f.name: f.type for f in _struct(inspect.type_info(Actor)).fields}["instance"])
