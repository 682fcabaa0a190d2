"""Checks of a single submitted value by the type of its field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from noria.design.feel.regex import BACKTRACKING_SUBJECT_CHARS_MAX, has_nested_repeats
from noria.design.feel.temporal import parse_date, parse_date_time, parse_time
from noria.design.forms.model import Field, FieldError

TEXT_CHARS_MAX = 100_000
SIGNATURE = "signature"
"""`properties.kind` of a filepicker that is signed by hand."""
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]{1,63}(?:\.[^\s@.]{1,63}){1,10}")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,28}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ATTACHMENT = {"hash": str, "name": str, "size": int, "media_type": str}

Settings = Mapping[str, Any]


def check_value(field: Field, value: object, settings: Settings) -> FieldError | None:
    """The first thing that is wrong with a value that is not empty, or None.

    Args:
        field: the field it was submitted for.
        value: the JSON value.
        settings: the field's checks, expressions resolved.
    """
    return _CHECKS[field.type](field, value, settings)


def _wrong_type(expected: str) -> FieldError:
    return FieldError("form.type", f"A value of type {expected} is expected.", {"expected": expected})


def _limit(settings: Settings, name: str) -> Decimal | None:
    value = settings.get(name)
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _text(field: Field, value: object, settings: Settings) -> FieldError | None:
    if not isinstance(value, str):
        return _wrong_type("string")
    shortest, longest = _limit(settings, "minLength"), _limit(settings, "maxLength")
    longest = Decimal(TEXT_CHARS_MAX) if longest is None else longest
    if shortest is not None and len(value) < shortest:
        return FieldError("form.min_length", f"At least {shortest} characters are needed.", {"min": int(shortest)})
    if len(value) > longest:
        return FieldError("form.max_length", f"At most {longest} characters are allowed.", {"max": int(longest)})
    if field.pattern is not None:
        if len(value) > BACKTRACKING_SUBJECT_CHARS_MAX and has_nested_repeats(field.pattern.pattern):
            return FieldError("form.pattern", "The text is too long for the pattern of this field.")
        if field.pattern.search(value) is None:
            return FieldError("form.pattern", "The text does not have the expected form.")
    form = {"email": _EMAIL, "phone": _PHONE}.get(str(settings.get("validationType")))
    if form is not None and form.fullmatch(value) is None:
        kind = str(settings["validationType"])
        return FieldError(f"form.{kind}", f"This is not a valid {kind}.")
    return None


def _number(field: Field, value: object, settings: Settings) -> FieldError | None:
    wanted = str if field.as_text else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        return _wrong_type("string" if field.as_text else "number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return _wrong_type("number")
    if not number.is_finite():
        return _wrong_type("number")
    least, most = _limit(settings, "min"), _limit(settings, "max")
    if least is not None and number < least:
        return FieldError("form.min", f"The number must be at least {least}.", {"min": str(least)})
    if most is not None and number > most:
        return FieldError("form.max", f"The number must be at most {most}.", {"max": str(most)})
    if field.decimal_digits >= 0 and -int(number.normalize().as_tuple().exponent) > field.decimal_digits:
        return FieldError(
            "form.decimal_digits",
            f"At most {field.decimal_digits} digits may stand behind the point.",
            {"max": field.decimal_digits},
        )
    return _step(number, _limit(settings, "step"), least)


def _step(number: Decimal, step: Decimal | None, least: Decimal | None) -> FieldError | None:
    if step is None or step <= 0 or number.adjusted() - step.adjusted() > 20:
        return None
    if (number - (least or 0)) % step == 0:
        return None
    return FieldError("form.step", f"The number must be a multiple of {step}.", {"step": str(step)})


def _checkbox(_field: Field, value: object, _settings: Settings) -> FieldError | None:
    return None if isinstance(value, bool) else _wrong_type("boolean")


def _is_choice(field: Field, value: object) -> bool:
    return field.choices is None or any(type(one) is type(value) and one == value for one in field.choices)


def _one_choice(field: Field, value: object, _settings: Settings) -> FieldError | None:
    if _is_choice(field, value):
        return None
    return FieldError("form.choice", "The value is not one of the choices.")


def _many_choices(field: Field, value: object, _settings: Settings) -> FieldError | None:
    if not isinstance(value, list):
        return _wrong_type("list")
    if not all(_is_choice(field, one) for one in value):
        return FieldError("form.choice", "A value is not one of the choices.")
    if any(value.index(one) != position for position, one in enumerate(value[:1_000])):
        return FieldError("form.choice_twice", "A choice is given twice.")
    return None


def _datetime(field: Field, value: object, _settings: Settings) -> FieldError | None:
    subtype = field.subtype or "date"
    if not isinstance(value, str):
        return _wrong_type(subtype)
    # Forms write minutes; seconds are added so that one reader of ISO 8601 serves.
    full = re.sub(r"((?:^|T)\d\d:\d\d)(?=$|[Zz+\-@])", r"\1:00", value)
    if subtype == "date":
        valid = parse_date(value) is not None
    elif subtype == "time":
        valid = parse_time(full) is not None
    else:
        valid = "T" in value and parse_date_time(full) is not None
    return None if valid else FieldError("form.datetime", f"This is no ISO 8601 {subtype}.", {"expected": subtype})


def signs(field: Field) -> bool:
    """Whether a field is signed by hand."""
    properties = field.settings.get("properties")
    return isinstance(properties, dict) and properties.get("kind") == SIGNATURE


def _files(field: Field, value: object, _settings: Settings) -> FieldError | None:
    if not isinstance(value, list):
        return _wrong_type("list")
    for one in value:
        if not isinstance(one, dict) or set(one) != set(_ATTACHMENT):
            return FieldError("form.attachment", "An attachment has hash, name, size and media_type.")
        if not all(type(one[name]) is wanted for name, wanted in _ATTACHMENT.items()) or one["size"] < 0:
            return FieldError("form.attachment", "An attachment has hash, name, size and media_type.")
        if _SHA256.fullmatch(one["hash"]) is None:
            return FieldError("form.attachment", "The hash of an attachment is SHA-256 in lower-case hexadecimal.")
    if signs(field) and [one["media_type"] for one in value] != ["image/png"]:
        return FieldError("form.signature", "A signature is one drawing, an image of type PNG.")
    return None


_CHECKS: dict[str, Callable[[Field, object, Settings], FieldError | None]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "checkbox": _checkbox,
    "radio": _one_choice,
    "select": _one_choice,
    "checklist": _many_choices,
    "taglist": _many_choices,
    "datetime": _datetime,
    "filepicker": _files,
}
