"""Checking a submission: known fields only, each by its type; hidden ones are dropped, computed ones are added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.expression import Expression
from noria.design.feel.values import from_json, to_json
from noria.design.forms.computing import ABSENT, get, put, row_scope
from noria.design.forms.model import Field, FieldError, Setting
from noria.design.forms.values import check_value


class Checker:
    """Walks the fields in document order.

    Attributes:
        errors: what was refused, by path.
    """

    def __init__(self, context: EvaluationContext) -> None:
        self.errors: dict[str, FieldError] = {}
        self._context = context

    def level(
        self,
        fields: Iterable[Field],
        values: Mapping[str, object],
        current: Mapping[str, object],
        scope: Mapping[str, object],
        path: str,
    ) -> dict[str, object]:
        """The form itself or one row of a dynamic list.

        Args:
            fields: of the form or the row.
            values: what was submitted.
            current: what was there before.
            scope: what expressions see, computed fields included (`computing.settled`).
            path: where it is, for the errors.
        """
        accepted: dict[str, object] = {}
        known: dict[str, Any] = {}
        seen = dict(scope)
        self._fields(fields, (), (values, current, seen), accepted, known, path)
        self._unknown(values, known, path)
        return accepted

    def _fields(
        self,
        fields: Iterable[Field],
        prefix: tuple[str, ...],
        data: tuple[Mapping[str, object], Mapping[str, object], dict[str, object]],
        accepted: dict[str, object],
        known: dict[str, Any],
        path: str,
        hidden: bool = False,
    ) -> None:
        values, current, scope = data
        for field in fields:
            key = (*prefix, *field.parts)
            dropped = hidden or (field.hide is not None and field.hide.test(scope, self._context))
            if field.type == "group":
                self._fields(field.fields, key, data, accepted, known, path, dropped)
                continue
            put(known, key, None)
            if dropped:
                continue
            if field.expression is not None:
                computed = get(scope, key)
                put(accepted, key, None if computed is ABSENT else computed)
                continue
            where = f"{path}{'.'.join(key)}"
            value = get(values, key)
            before = get(current, key)
            if self._truth(field.read_only, scope):
                if value is not ABSENT and from_json(value) != from_json(None if before is ABSENT else before):
                    self._refuse(where, "form.read_only", "This field may not be changed.")
                continue
            if field.type == "dynamiclist":
                rows = self._rows(field, value, before, scope, where, get(scope, key))
                if rows is not None:
                    put(accepted, key, rows)
                continue
            self._input(field, value, scope, where, key, accepted)

    def _input(
        self,
        field: Field,
        value: object,
        scope: Mapping[str, object],
        where: str,
        key: tuple[str, ...],
        accepted: dict[str, object],
    ) -> None:
        empty = value is ABSENT or value is None or value in ("", [])
        settings = {name: self._resolved(setting, scope) for name, setting in field.validate.items()}
        if settings.get("required") is True and (empty or (field.type == "checkbox" and value is False)):
            self._refuse(where, "form.required", "A value is required.")
        elif empty:
            if value is not ABSENT:
                put(accepted, key, value)
        else:
            error = check_value(field, value, settings)
            if error is None:
                put(accepted, key, value)
            else:
                self.errors[where] = error

    def _rows(
        self, field: Field, value: object, before: object, scope: Mapping[str, object], where: str, settled: object
    ) -> list[object] | None:
        rows = [] if value is ABSENT or value is None else value
        if not isinstance(rows, list):
            self._refuse(where, "form.type", "A list of rows is expected.", expected="list")
            return None
        if not field.rows_min <= len(rows) <= field.rows_max:
            self._refuse(
                where,
                "form.rows",
                f"{field.rows_min} to {field.rows_max} rows are expected, not {len(rows)}.",
                min=field.rows_min,
                max=field.rows_max,
                count=len(rows),
            )
            if len(rows) > field.rows_max:
                return None
        kept = before if isinstance(before, list) else []
        if field.rows_fixed and kept and len(rows) != len(kept) and value is not ABSENT:
            message = f"Rows are neither added nor removed here: {len(kept)} are expected, not {len(rows)}."
            self._refuse(where, "form.rows", message, min=len(kept), max=len(kept), count=len(rows))
            return None
        accepted: list[object] = []
        for index, row in enumerate(rows):
            if not isinstance(row, dict):
                self._refuse(f"{where}[{index}]", "form.type", "A row is an object.", expected="object")
                continue
            old = kept[index] if index < len(kept) and isinstance(kept[index], dict) else {}
            whole = settled[index] if isinstance(settled, list) else row
            inner = row_scope(scope, whole)
            checked = self.level(field.fields, row, old, inner, f"{where}[{index}].")
            # A list is stored as a whole: what the form shows read-only, or not at all, must outlive the submission.
            accepted.append({**old, **checked} if field.rows_fixed else checked)
        return None if value is ABSENT else accepted

    def _unknown(self, values: Mapping[str, object], known: Mapping[str, Any], path: str) -> None:
        for key, value in values.items():
            where = f"{path}{key}"
            if key not in known:
                self._refuse(where, "form.unknown_field", "The form has no such field.")
            elif isinstance(known[key], dict):
                if isinstance(value, Mapping):
                    self._unknown(value, known[key], where + ".")
                elif value is not None:
                    self._refuse(where, "form.type", "An object is expected.", expected="object")

    def _resolved(self, setting: Setting, scope: Mapping[str, object]) -> Any:
        if isinstance(setting, Expression):
            return to_json(setting.evaluate(scope, self._context))
        return setting

    def _truth(self, setting: Setting, scope: Mapping[str, object]) -> bool:
        return self._resolved(setting, scope) is True

    def _refuse(self, where: str, code: str, message: str, **details: object) -> None:
        self.errors[where] = FieldError(code, message, details)
