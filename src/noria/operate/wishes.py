"""What a person wants done to a request: a verb and what it takes, and the command that it stands for."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from noria.engine import commands as c


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A verb and what it takes; which fields count depends on it.

    Attributes:
        verb: on a task "complete", "approve", "refuse", "abstain", "return", "transfer", "delegate", "add", "consult",
            "claim", "unclaim", "comment", "urge" or "answer"; on a request "withdraw", "take_back", "copy", "remove",
            "comment", "urge", "cancel", "void", "restart", "modify", "correct", "suspend", "resume" or "retry".
        variables: a form's values, or what is corrected.
        to: a person, or for a return the id of the element.
        people: who is added, asked or let know.
        where: "before", "after" or "parallel".
        mode: for a return "step" or "straight", else the rule among those who are added.
        reason: why, or the opinion that goes with a decision.
        text: what is said or asked.
        mentions: whom a remark mentions.
        resubmit: how a returned request goes on.
        moves: for a modification.
        incident: for a retry.
        version: of the task as it was seen; 0 for any.
    """

    verb: str
    variables: dict[str, object] = {}
    to: str = ""
    people: tuple[str, ...] = ()
    where: str = ""
    mode: str = ""
    reason: str = ""
    text: str = ""
    mentions: tuple[str, ...] = ()
    resubmit: str = ""
    moves: tuple[c.Move, ...] = ()
    incident: int = 0
    version: int = 0


def _complete(token: int, by: str, wish: Wish) -> c.AnyCommand:
    outcome = "" if wish.verb == "complete" else wish.verb
    return c.CompleteTask(token, by, wish.variables, wish.reason, wish.version, outcome, wish.resubmit)


ON_TASKS: dict[str, Callable[[int, str, Wish], c.AnyCommand]] = {
    "complete": _complete,
    "approve": _complete,
    "refuse": _complete,
    "abstain": _complete,
    "claim": lambda token, by, wish: c.ClaimTask(token, by, wish.version),
    "unclaim": lambda token, by, wish: c.UnclaimTask(token, by, wish.version),
    "return": lambda token, by, wish: c.ReturnTask(
        token, by, wish.to, wish.reason, wish.version, wish.mode == "straight"
    ),
    "transfer": lambda token, by, wish: c.TransferTask(token, by, wish.to, wish.reason, wish.version),
    "delegate": lambda token, by, wish: c.DelegateTask(token, by, wish.to, wish.reason, wish.version),
    "add": lambda token, by, wish: c.AddApprovers(
        token, by, wish.where, wish.people, wish.mode or "allOf", wish.reason, wish.version
    ),
    "consult": lambda token, by, wish: c.Consult(token, by, wish.people, wish.text, wish.version),
}
"""Verb → the command of who holds or may take a task; `by` is for whom it is done."""

BY_OPERATORS: dict[str, Callable[[str, Wish], c.AnyCommand]] = {
    "cancel": lambda by, wish: c.CancelInstance(by, wish.reason),
    "void": lambda by, wish: c.VoidInstance(by, wish.reason),
    "modify": lambda by, wish: c.ModifyInstance(by, wish.reason, wish.moves),
    "correct": lambda by, wish: c.SetVariables(by, wish.variables, wish.reason),
    "suspend": lambda by, wish: c.SuspendInstance(by, wish.reason),
    "resume": lambda by, wish: c.ResumeInstance(by, wish.reason),
    "retry": lambda by, wish: c.RetryIncident(wish.incident, by),
}
"""Verb → an operator's command on a request."""
