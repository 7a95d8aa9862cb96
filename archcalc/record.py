"""Immutable records: what a frozen dataclass gives, without generating code for each class.

`dataclasses.dataclass(frozen=True)` runs a compiler for every class: half a millisecond each, which for the
layer types and the syntax tree together would be a third of what `archcalc table` may take in all.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

MISSING: Any = object()


class Field(NamedTuple):
    """One field of a record. All but the first three are for people: see `ops.base.arg`."""

    name: str
    kind: str
    default: Any
    about: str = ""
    symbol: str = ""
    slash: bool = False
    named: bool = False
    brief: bool = False


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
class Record:
    """Base of immutable values: fields are the annotated names of the class, compared and hashed by value.

    A subclass may name fields that are not compared: `class Name(Record, uncompared=("span",))`.

    >>> class Point(Record):
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, y=0)
    (Point(x=1, y=0), True)
    """

    fields: ClassVar[dict[str, Field]] = {}
    compared: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, uncompared: tuple[str, ...] = (), **rest: Any) -> None:
        super().__init_subclass__(**rest)
        fields = dict(cls.fields)
        for name, kind in cls.__annotations__.items():
            if not str(kind).startswith("ClassVar"):
                default = cls.__dict__.get(name, MISSING)
                field = default._replace(name=name, kind=kind) if isinstance(default, Field) else None
                fields[name] = field or Field(name, str(kind), default)
        skipped = (set(cls.fields) - set(cls.compared)) | set(uncompared)
        cls.fields = fields
        cls.compared = tuple(name for name in fields if name not in skipped)

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = type(self).fields
        own = dict(zip(fields, values, strict=False))
        if len(own) == len(values) == len(fields) and not named:  # as the parser calls it, a thousand times a net
            self.__dict__.update(own)
            return
        if len(values) > len(fields) or named.keys() & own.keys() or named.keys() - fields.keys():
            raise TypeError(f"{type(self).__name__}{tuple(fields)} does not take {values} {named}")
        own.update(named)
        for name, field in fields.items():
            if name not in own:
                if field.default is MISSING:
                    raise TypeError(f"{type(self).__name__} lacks {name}")
                own[name] = field.default
        self.__dict__.update(own)

    def replace(self, **named: Any) -> Self:
        """The same record with some fields changed."""
        return type(self)(**{**self.__dict__, **named})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.compared)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.compared)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.compared)
        return f"{type(self).__name__}({shown})"
