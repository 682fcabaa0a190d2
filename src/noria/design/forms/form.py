"""A form as a whole: what the interface draws and the server checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from noria.design.feel.evaluation import EvaluationContext
from noria.design.forms.checking import Checker
from noria.design.forms.model import Field, FormResult


class Form(msgspec.Struct):
    """A form.

    Attributes:
        id: id of the form.
        schema: the JSON as given, for the interface that draws it.
        fields: the components that hold or group values.
    """

    id: str
    schema: dict[str, Any]
    fields: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that the form shows."""
        return tuple(dict.fromkeys(_names(self.fields)))

    def validate(
        self, values: Mapping[str, object], *, context: EvaluationContext, current: Mapping[str, object] | None = None
    ) -> FormResult:
        """Check a submission.

        Args:
            values: what was submitted.
            context: instant, zone and budgets for the form's expressions.
            current: values before the submission, for read-only fields and expressions; None for a new form.

        Raises:
            FeelBudgetError: an expression of the form used up its budget.
        """
        before = current or {}
        checker = Checker(context)
        accepted = checker.level(self.fields, values, before, {**before, **values}, "")
        return FormResult(accepted, checker.errors)


def _names(fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        if field.parts:
            yield field.parts[0]
        else:
            yield from _names(field.fields)
