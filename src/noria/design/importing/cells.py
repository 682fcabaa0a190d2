"""Cells of Flowable's and Activiti's decision tables: JUEL that may begin with an operator, or with a method."""

from __future__ import annotations

import re

from noria.design.importing.feel import Translation, translate, translate_expression
from noria.design.importing.juel import Call, JuelError, Literal, has_expression, parse_expression
from noria.design.importing.said import NotTranslatable
from noria.design.xml import Node

_INPUT = "cellInput"
_WHICH = {_INPUT: "?"}
_COMPARES = re.compile(r"(==|!=|<=|>=|<|>)\s*(.+)", re.DOTALL)
_TESTS = {"==": "{}", "!=": "not({})"}
_VENDORS = re.compile("flowable|activiti", re.IGNORECASE)


def are_flowables(root: Node) -> bool:
    """Whether a file was made by Flowable or Activiti, whose tables name no language and are in JUEL all the same."""
    return any(_VENDORS.search(root.get(name)) for name in ("namespace", "exporter"))


def test_of(text: str) -> Translation:
    """FEEL's test for an input cell: what is compared, or what the input is to be.

    Raises:
        NotTranslatable: it has no FEEL.
    """
    if has_expression(text):
        return translate(text, condition=True)
    if text.startswith("."):
        return translate_expression(f"{_INPUT}{text}", condition=True, renamed=_WHICH)
    found = _COMPARES.fullmatch(text)
    operator, value = found.groups() if found is not None else ("==", text)
    try:
        tree = parse_expression(value)
    except JuelError as error:
        raise NotTranslatable(str(error)) from None
    if isinstance(tree, Literal | Call) and tree != Literal(None):
        # As people write it, and as the analysis of tables reads it.
        made = translate_expression(value)
        return made._replace(text=_TESTS.get(operator, f"{operator} {{}}").format(made.text))
    return translate_expression(f"{_INPUT} {operator} {value}", condition=True, renamed=_WHICH)
