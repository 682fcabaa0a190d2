"""Rules: decision tables that their owners edit, try on what was decided lately, and publish."""

from __future__ import annotations

import msgspec
from litestar import get, post

from noria.adapters.http.services import Services
from noria.design.dmn.editing import EditedTable
from noria.design.findings import Finding
from noria.operate.office import Caller
from noria.operate.rule_views import RulesBrief, RulesDraft, RulesPublished, RulesTrial, RulesView
from noria.operate.views import Page


class RulesCheck(msgspec.Struct):
    """An edited table to be checked."""

    table: EditedTable


class RulesAttempt(msgspec.Struct):
    """An edited table to be tried on what was decided in the last days."""

    table: EditedTable
    days: int = 31


@get("/rules", operation_id="listRules", tags=["rules"])
async def list_rules(caller: Caller, services: Services) -> Page[RulesBrief]:
    """The decision tables that are deployed, and the processes that ask them."""
    return await services.rules.list_all(caller)


@get("/rules/{decision:str}", operation_id="getRules", tags=["rules"])
async def get_rules(decision: str, caller: Caller, services: Services) -> RulesView:
    """A decision table with its columns, rows and what its check finds."""
    return await services.rules.one(caller, decision)


@post("/rules/{decision:str}/check", operation_id="checkRules", tags=["rules"], status_code=200)
async def check_rules(decision: str, data: RulesCheck, caller: Caller, services: Services) -> list[Finding]:
    """What the check finds in an edited table; nothing is written."""
    return await services.rules.check(caller, decision, data.table)


@post("/rules/{decision:str}/try", operation_id="tryRules", tags=["rules"], status_code=200)
async def try_rules(decision: str, data: RulesAttempt, caller: Caller, services: Services) -> RulesTrial:
    """Which cases of the last days an edited table would have decided otherwise; nothing is written."""
    return await services.rules.attempt(caller, decision, data.table, data.days)


@post("/rules/{decision:str}", operation_id="publishRules", tags=["rules"], status_code=201)
async def publish_rules(decision: str, data: RulesDraft, caller: Caller, services: Services) -> RulesPublished:
    """Put an edited table into force: a new version of each process that asks it."""
    made = await services.rules.publish(caller, decision, data)
    keys = [process.key for process in made.processes]
    services.live.deployed(caller.principal.tenant, keys, services.office.clock.now_ms())
    return made


HANDLERS = [list_rules, get_rules, check_rules, try_rules, publish_rules]
