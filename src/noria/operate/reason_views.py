"""What people and programs are shown of the world around a case, and of why it went the way it went."""

from __future__ import annotations

import msgspec

from noria.operate.views import Ref


class ObservationView(msgspec.Struct, kw_only=True):
    """What was said of the world; `valid_until` is null when it holds until something else is said."""

    name: str
    version: int
    value: object
    valid_from: str
    valid_until: str | None
    observed_at: str
    observed_by: Ref


class Chosen(msgspec.Struct):
    """A sequence flow that was taken: its condition is "" when it has none, and where it leads."""

    id: str
    name: str
    condition: str
    to: Ref


class Why(msgspec.Struct, kw_only=True):
    """Why a case went the way it went: at a gateway, by a decision, or to a person.

    Attributes:
        kind: "route", "decision" or "people".
        chosen: for a route, the flows taken.
        decision: for a decision, its id.
        matched: likewise, the rows that decided.
        value: likewise, what came out.
        asked: for people, the expression that named them; this and conditions are for who may read models.
        people: likewise, ids and groups that it named.
        names: id → name of the people among them and in the facts.
        facts: what of the outside was used, by name; empty when nothing was.
        calendar: id of the calendar in which the day was looked up, "" for none.
        calendar_version: of it.
        versions: name in the environment → version of what was said.
    """

    seq: int
    at: str
    element: Ref
    kind: str
    chosen: list[Chosen] = []
    decision: str = ""
    matched: list[dict[str, object]] = []
    value: object = None
    asked: str = ""
    people: list[str] = []
    names: dict[str, str] = {}
    facts: dict[str, object] = {}
    calendar: str = ""
    calendar_version: int = 0
    versions: dict[str, int] = {}
