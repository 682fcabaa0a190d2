"""DMN: decisions read from XML, compiled, and evaluated with the rules that matched."""

from noria.design.dmn.analysis import check_tables
from noria.design.dmn.explaining import DecisionExplanation, explain
from noria.design.dmn.model import Decision, DecisionModel, DecisionResult, RuleHit, UnknownDecisionError
from noria.design.dmn.reader import read_dmn

__all__ = [
    "Decision",
    "DecisionExplanation",
    "DecisionModel",
    "DecisionResult",
    "RuleHit",
    "UnknownDecisionError",
    "check_tables",
    "explain",
    "read_dmn",
]
