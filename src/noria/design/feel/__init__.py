"""FEEL: the only language inside a model, compiled to Python code objects through a whitelist."""

from noria.design.feel.expression import (
    EvaluationContext,
    Expression,
    FeelSyntaxError,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
    literal_expression,
)
from noria.design.feel.values import from_json, to_json

__all__ = [
    "EvaluationContext",
    "Expression",
    "FeelSyntaxError",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "from_json",
    "literal_expression",
    "to_json",
]
