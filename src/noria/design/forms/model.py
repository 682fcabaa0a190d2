"""A form and its fields, compiled."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from noria.design.feel.expression import Expression

Setting = Expression | bool | int | float | str | None
"""A property of a field: a constant, or FEEL (written ``=...``)."""


class FieldError(msgspec.Struct, frozen=True):
    """Why one value was refused.

    Attributes:
        code: stable, e.g. ``form.required``; interfaces translate by it.
        message: one English sentence.
        details: parameters of the sentence.
    """

    code: str
    message: str
    details: dict[str, object] = msgspec.field(default_factory=dict)


class FormResult(msgspec.Struct, frozen=True):
    """What a submission became.

    Attributes:
        values: accepted values; meaningful only when there are no errors.
        errors: by path, e.g. ``lines[2].quantity`` (rows count from 0).
    """

    values: dict[str, object]
    errors: dict[str, FieldError]


class Field(msgspec.Struct):
    """One component of a form that holds or groups values.

    Attributes:
        type: form-js type, e.g. ``number``.
        id: id of the component.
        key: name of the value, dots for nesting; "" for a group or dynamic list.
        path: path of the values of a group or dynamic list, "" for none.
        label: text for people.
        fields: components of a group or dynamic list.
        choices: allowed values of a choice; None when they come from data.
        validate: the checks: required, min, max, minLength, maxLength, pattern, validationType.
        pattern: compiled pattern, None for none.
        hide: FEEL that hides the field, None for never.
        read_only: FEEL or constant; a disabled field is read-only.
        expression: FEEL of a computed field.
        subtype: date, time or datetime.
        decimal_digits: most digits behind the point, -1 for any.
        as_text: a number field whose value is kept as text.
        rows_min: fewest rows of a dynamic list.
        rows_max: most rows of a dynamic list.
        rows_fixed: rows of a dynamic list are neither added nor removed.
        settings: the component as written.
    """

    type: str
    id: str
    key: str
    path: str
    label: str
    fields: tuple[Field, ...] = ()
    choices: tuple[Any, ...] | None = None
    validate: dict[str, Setting] = {}
    pattern: re.Pattern[str] | None = None
    hide: Expression | None = None
    read_only: Setting = None
    expression: Expression | None = None
    subtype: str = ""
    decimal_digits: int = -1
    as_text: bool = False
    rows_min: int = 0
    rows_max: int = 10_000
    rows_fixed: bool = False
    settings: dict[str, Any] = {}

    @property
    def parts(self) -> tuple[str, ...]:
        """Where the value is, below the group or row around it; () for a group without a path."""
        return tuple((self.key or self.path).split(".")) if self.key or self.path else ()
