"""Ad-hoc sub-processes: which activities begin, and when enough has been done (BPMN 2.0.2, 13.3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from noria.design.bpmn.graph import AdHoc, Element
from noria.engine import events as e
from noria.engine.trouble import Trouble

if TYPE_CHECKING:
    from noria.engine.run import Run


def begin(run: Run, scope: int, element: Element) -> None:
    """Begin the activities that start by themselves: all without incoming flow unless the model says which.

    Raises:
        Trouble: the expression gives no list of ids of such activities.
    """
    ad_hoc = _ad_hoc(element)
    chosen = element.starts if ad_hoc.activities is None else _named(run, scope, element, ad_hoc)
    if ad_hoc.sequential:
        run.emit(e.ActivitiesChosen(scope, element.index, chosen[1:]))
        chosen = chosen[:1]
    for index in chosen:
        run.enter(index, scope)
    if not chosen and ad_hoc.activities is None:
        run.leave(scope, element)


def _ad_hoc(element: Element) -> AdHoc:
    assert element.ad_hoc is not None  # noqa: S101 - only called for elements that have it
    return element.ad_hoc


def _named(run: Run, scope: int, element: Element, ad_hoc: AdHoc) -> tuple[int, ...]:
    names = run.evaluate_names(ad_hoc.activities, run.variables(scope), "activities", element)
    found = tuple(run.definition.graph.element_of.get(name, -1) for name in names)
    unknown = [name for name, index in zip(names, found, strict=True) if index not in element.starts]
    if unknown:
        raise Trouble("ad_hoc.unknown", f"{', '.join(unknown)} cannot be begun in {element.id}.")
    return found


def after_activity(run: Run, scope: int, element: Element) -> None:
    """Something in the sub-process has ended: end it, begin the next activity, or wait. Trouble: an incident."""
    ad_hoc, state = _ad_hoc(element), run.state
    try:
        enough = ad_hoc.condition is not None and run.test(ad_hoc.condition, run.variables(scope))
    except Trouble as trouble:
        run.raise_incident(scope, element, trouble.trouble_code, trouble.message, "choose")
        return
    if enough and ad_hoc.cancels_rest:
        run.cancel_scope(scope, "completion_condition")
    if state.scopes[scope].live:
        if enough and scope in state.chosen:
            run.emit(e.ActivitiesChosen(scope, element.index, ()))
        return
    left = state.chosen.get(scope, ())
    if enough or not (left or ad_hoc.condition is not None):
        run.leave(scope, element)
    elif left:
        run.emit(e.ActivitiesChosen(scope, element.index, left[1:]))
        run.enter(left[0], scope)
    elif ad_hoc.activities is None:
        message = f"Everything in {element.id} is done and its completion condition does not hold; correct a variable."
        run.raise_incident(scope, element, "ad_hoc.nothing_left", message, "choose")
