"""The decisions of an instance, and why each came out as it did."""

from __future__ import annotations

from collections.abc import Mapping

from noria.design.dmn import DecisionExplanation, explain
from noria.design.feel import to_json
from noria.design.feel.expression import FeelBudgetError
from noria.engine import events as e
from noria.engine.facts import Facts
from noria.engine.state import FACTS
from noria.engine.variables import Variables
from noria.operate.office import element_ref, iso
from noria.operate.reasons import facts_read
from noria.operate.timeline import History
from noria.operate.views import DecisionMade


def decisions_made(history: History, facts: Mapping[int, Facts], *, explained: bool) -> list[DecisionMade]:
    """Every decision on record, oldest first.

    The journal holds what was decided, not why: the variables are as they were then, and the decision is evaluated on
    them once more.

    Args:
        history: of the instance, not yet folded.
        facts: the tenant's at the instants of the history.
        explained: whether to say why.
    """
    made: list[DecisionMade] = []
    for row, definition, event in history.before(e.DecisionEvaluated):
        explanation: DecisionExplanation | None = None
        same: bool | None = None
        decision = definition.decisions.get(event.decision)
        if explained and decision is not None:
            variables = Variables(definition, history.state, row.ts, facts[row.ts]).variables(event.token)
            read = facts_read(e.decode_events(row.ev))
            if read is not None:
                variables = {**variables, FACTS: read.values}
            try:
                result, explanation = explain(decision, variables, facts[row.ts].context(row.ts))
                same = to_json(result.value) == event.result
            except FeelBudgetError:  # a newer version of the decision, since one that fails records nothing
                same = False
        made.append(
            DecisionMade(
                seq=row.ver,
                at=iso(row.ts),
                element=element_ref(definition.graph.elements[event.element]),
                decision=event.decision,
                value=event.result,
                matched=[{"decision": table, "rule": rule, "row": number} for table, rule, number in event.rules],
                explanation=explanation,
                same=same,
            )
        )
    return made
