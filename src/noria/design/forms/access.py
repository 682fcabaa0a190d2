"""What a step shows of a form, and lets be written: one form serves all steps, each with its own access (字段权限)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from noria.design.forms.form import Form
from noria.design.forms.model import Field


def restricted(form: Form, hidden: Collection[str], writable: Collection[str] | None) -> Form:
    """The form as one step has it.

    Args:
        form: as it was deployed.
        hidden: variables that are neither shown nor taken; a computed one is still computed, for the server decides it.
        writable: variables that may be written, all others are read-only; None when all may.

    Returns:
        A form whose schema, for the interface that draws it, and whose fields, for the check, both say so.
    """
    if not hidden and writable is None:
        return form
    schema = {**form.schema, "components": _components(form.schema["components"], hidden, writable, None)}
    return Form(form.id, schema, _fields(form.fields, hidden, writable, None))


def _name_of(key: str, around: str | None) -> str | None:
    """The variable that a component belongs to: its own, or that of the group or list around it."""
    return around if around is not None or not key else key.partition(".")[0]


def _locked(name: str | None, writable: Collection[str] | None) -> bool:
    return writable is not None and name is not None and name not in writable


def _fields(
    fields: tuple[Field, ...], hidden: Collection[str], writable: Collection[str] | None, around: str | None
) -> tuple[Field, ...]:
    found = []
    for field in fields:
        name = _name_of(field.key or field.path, around)
        if name in hidden and field.expression is None:
            continue
        inner = _fields(field.fields, hidden, writable, name)
        read_only = True if _locked(name, writable) and field.type != "group" else field.read_only
        found.append(msgspec.structs.replace(field, fields=inner, read_only=read_only))
    return tuple(found)


def _components(
    components: list[Any], hidden: Collection[str], writable: Collection[str] | None, around: str | None
) -> list[Any]:
    found = []
    for component in components:
        name = _name_of(str(component.get("path") or component.get("key") or ""), around)
        if name in hidden:
            continue
        changed = dict(component)
        if isinstance(component.get("components"), list):
            changed["components"] = _components(component["components"], hidden, writable, name)
        if _locked(name, writable) and component.get("type") != "group":
            changed["readonly"] = True
            # Nobody is to fill in what is locked: no mark that it is required.
            changed["validate"] = {**component.get("validate", {}), "required": False}
            if component.get("type") == "dynamiclist":
                changed["allowAddRemove"] = False
        found.append(changed)
    return found
