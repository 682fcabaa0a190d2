"""Checking a submission field by field, by the same rules as the form in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import msgspec

from noria.design.feel import EvaluationContext, to_json
from noria.design.feel.builtins_strings import regex
from noria.kernel.errors import NoriaError

if TYPE_CHECKING:
    from noria.design.forms.schema import Field

ROWS_MAX = 1_000
TEXT_CHARS_MAX = 100_000
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d\s()-]{5,30}")
_HASH = re.compile(r"[0-9a-f]{64}")


class FieldError(msgspec.Struct, frozen=True):
    """Why a field was not accepted.

    Attributes:
        code: stable code, e.g. ``form.required``.
        message: one English sentence.
        details: the limits it names.
    """

    code: str
    message: str
    details: dict[str, object] = {}


class FormResult(msgspec.Struct, frozen=True):
    """What became of a submission.

    Attributes:
        values: accepted values by key, computed ones among them.
        errors: by path, e.g. ``amount`` or ``lines[2].quantity``.
    """

    values: dict[str, object]
    errors: dict[str, FieldError]


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value == []


class Validation:
    """One pass over one submission."""

    def __init__(self, context: EvaluationContext, current: Mapping[str, object]) -> None:
        self._context = context
        self._current = current
        self._errors: dict[str, FieldError] = {}

    def run(self, fields: tuple[Field, ...], values: Mapping[str, object]) -> FormResult:
        """Check all values against all fields."""
        accepted = self._level(fields, values, self._current, "")
        return FormResult(accepted, self._errors)

    def _fail(self, path: str, code: str, message: str, **details: object) -> None:
        self._errors.setdefault(path, FieldError(code, message, details))

    def _level(
        self, fields: tuple[Field, ...], values: Mapping[str, object], current: Mapping[str, object], prefix: str
    ) -> dict[str, object]:
        accepted: dict[str, object] = {}
        known: set[str] = set()
        self._collect(fields, values, current, prefix, accepted, known)
        for name in values:
            if name not in known:
                self._fail(prefix + name, "form.unknown_field", f"The form has no field {name!r}.")
        self._compute(fields, values, accepted)
        return accepted

    def _collect(
        self,
        fields: tuple[Field, ...],
        values: Mapping[str, object],
        current: Mapping[str, object],
        prefix: str,
        accepted: dict[str, object],
        known: set[str],
    ) -> None:
        for field in fields:
            hidden = self._is_hidden(field, {**self._current, **current, **values})
            if field.type == "group" and not field.path:
                if hidden:
                    known.update(_keys(field.fields))
                else:
                    self._collect(field.fields, values, current, prefix, accepted, known)
                continue
            name = field.path or field.key
            if not name:
                continue
            known.add(name)
            path = prefix + name
            if hidden or field.type == "expression":
                continue
            value = values.get(name)
            if field.read_only or (field.type == "dynamiclist" and _is_read_only(field)):
                if name in values and not _is_empty(value) and value != current.get(name):
                    self._fail(path, "form.read_only", "This field cannot be changed here.")
                continue
            if field.type == "group":
                inner = value if isinstance(value, dict) else {}
                before = current.get(name)
                accepted[name] = self._level(field.fields, inner, before if isinstance(before, dict) else {}, path + ".")
            elif field.type == "dynamiclist" and (name in values or _limit(_properties(field).get("minRows"), 0)):
                rows = self._rows(field, value, path)
                if rows is not None:
                    accepted[name] = rows
            elif field.type == "dynamiclist":
                continue
            elif _is_empty(value) or (field.type == "checkbox" and value is False and field.validate.get("required")):
                if field.validate.get("required"):
                    self._fail(path, "form.required", "This field is required.")
                elif name in values:
                    accepted[name] = value
            else:
                _CHECKS[field.type](self, field, value, path)
                if path not in self._errors:
                    accepted[name] = value

    def _is_hidden(self, field: Field, values: Mapping[str, object]) -> bool:
        return field.hide is not None and field.hide.test(values, self._context)

    def _compute(self, fields: tuple[Field, ...], values: Mapping[str, object], accepted: dict[str, object]) -> None:
        for field in fields:
            if field.type == "group" and not field.path:
                self._compute(field.fields, values, accepted)
            elif field.compute is not None:
                accepted[field.key] = to_json(field.compute.evaluate({**self._current, **accepted}, self._context))

    def _rows(self, field: Field, value: object, path: str) -> list[object] | None:
        if value is None:
            value = []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            self._fail(path, "form.type", "A list of rows is needed.", expected="rows")
            return None
        limits = _properties(field)
        least, most = _limit(limits.get("minRows"), 0), min(_limit(limits.get("maxRows"), ROWS_MAX), ROWS_MAX)
        if len(value) < least:
            self._fail(path, "form.rows_min", f"At least {least} row(s) are needed.", minimum=least)
        if len(value) > most:
            self._fail(path, "form.rows_max", f"At most {most} row(s) are allowed.", maximum=most)
            return None
        return [self._level(field.fields, row, {}, f"{path}[{index}].") for index, row in enumerate(value)]

    # One check per field type

    def _text(self, field: Field, value: object, path: str) -> None:
        if not isinstance(value, str):
            self._fail(path, "form.type", "A text is needed.", expected="text")
            return
        rules = field.validate
        least, most = rules.get("minLength"), rules.get("maxLength")
        if isinstance(least, int) and len(value) < least:
            self._fail(path, "form.min_length", f"At least {least} characters are needed.", minimum=least)
        limit = most if isinstance(most, int) else TEXT_CHARS_MAX
        if len(value) > limit:
            self._fail(path, "form.max_length", f"At most {limit} characters are allowed.", maximum=limit)
            return
        pattern = rules.get("pattern")
        if isinstance(pattern, str) and pattern:
            try:
                fits = regex(pattern, "").fullmatch(value) is not None
            except (NoriaError, ValueError):
                fits = False
            if not fits:
                self._fail(path, "form.pattern", "The text does not have the form that is asked for.")
        kind = rules.get("validationType")
        if (kind == "email" and not _EMAIL.fullmatch(value)) or (kind == "phone" and not _PHONE.fullmatch(value)):
            self._fail(path, f"form.{kind}", f"This is not a valid {kind}.")

    def _number(self, field: Field, value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
            self._fail(path, "form.type", "A number is needed.", expected="number")
            return
        least, most = _bound(field.validate.get("min")), _bound(field.validate.get("max"))
        if least is not None and value < least:
            self._fail(path, "form.min", f"At least {least:g} is needed.", minimum=least)
        if most is not None and value > most:
            self._fail(path, "form.max", f"At most {most:g} is allowed.", maximum=most)
        digits = field.settings.get("decimalDigits")
        if isinstance(digits, int) and round(value, digits) != value:
            self._fail(path, "form.digits", f"At most {digits} decimal digits are allowed.", maximum=digits)

    def _checkbox(self, _: Field, value: object, path: str) -> None:
        if not isinstance(value, bool):
            self._fail(path, "form.type", "Yes or no is needed.", expected="boolean")

    def _choice(self, field: Field, value: object, path: str) -> None:
        if field.options is not None and value not in field.options:
            self._fail(path, "form.option", "Choose one of the options.")

    def _choices(self, field: Field, value: object, path: str) -> None:
        if not isinstance(value, list):
            self._fail(path, "form.type", "A list is needed.", expected="list")
        elif field.options is not None and any(item not in field.options for item in value):
            self._fail(path, "form.option", "Choose among the options.")

    def _datetime(self, field: Field, value: object, path: str) -> None:
        subtype = field.settings.get("subtype", "date")
        parse: Callable[[str], object] = {
            "date": date.fromisoformat,
            "time": lambda text: time.fromisoformat(text.replace("Z", "+00:00")),
        }.get(str(subtype), datetime.fromisoformat)
        try:
            if not isinstance(value, str):
                raise ValueError  # noqa: TRY301
            parse(value)
        except ValueError:
            self._fail(path, "form.type", f"A {subtype} in ISO 8601 form is needed.", expected=str(subtype))

    def _files(self, _: Field, value: object, path: str) -> None:
        good = isinstance(value, list) and all(
            isinstance(item, dict) and isinstance(item.get("hash"), str) and _HASH.fullmatch(item["hash"])
            for item in value
        )
        if not good:
            self._fail(path, "form.type", "A list of uploaded files is needed.", expected="files")


def _properties(field: Field) -> dict[str, object]:
    properties = field.settings.get("properties")
    return properties if isinstance(properties, dict) else {}


def _is_read_only(field: Field) -> bool:
    """Whether nothing in a list may be changed."""
    return bool(field.fields) and all(inner.read_only or _is_read_only(inner) for inner in field.fields)


def _limit(value: object, otherwise: int) -> int:
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else otherwise


def _bound(value: object) -> float | None:
    """A limit of a number field; form-js writes it as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _keys(fields: tuple[Field, ...]) -> set[str]:
    names: set[str] = set()
    for field in fields:
        if field.type == "group" and not field.path:
            names |= _keys(field.fields)
        elif field.path or field.key:
            names.add(field.path or field.key)
    return names


_CHECKS: dict[str, Callable[[Validation, Field, object, str], None]] = {
    "textfield": Validation._text,  # noqa: SLF001 - the table belongs to the class
    "textarea": Validation._text,  # noqa: SLF001
    "number": Validation._number,  # noqa: SLF001
    "checkbox": Validation._checkbox,  # noqa: SLF001
    "checklist": Validation._choices,  # noqa: SLF001
    "radio": Validation._choice,  # noqa: SLF001
    "select": Validation._choice,  # noqa: SLF001
    "taglist": Validation._choices,  # noqa: SLF001
    "datetime": Validation._datetime,  # noqa: SLF001
    "filepicker": Validation._files,  # noqa: SLF001
}
