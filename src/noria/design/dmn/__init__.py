"""DMN 1.2 to 1.5: decision tables with all hit policies, literal expressions and requirements, read and evaluated."""

from noria.design.dmn.model import Decision, DecisionModel, DecisionResult, RuleHit
from noria.design.dmn.reader import read_dmn

__all__ = ["Decision", "DecisionModel", "DecisionResult", "RuleHit", "read_dmn"]
