"""The path that a request will probably take (预测路径), before it is submitted and while it is under way."""

from __future__ import annotations

from noria.design.bpmn.graph import Graph
from noria.engine import commands as c
from noria.engine.foreseeing import Path, foresee
from noria.engine.state import State
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.operate.cases import Cases
from noria.operate.office import Caller, Office, element_ref, iso_or_none, person_or_none
from noria.operate.views import PathStep, PathView
from noria.trust.people import Organisation


class Paths:
    """The use cases of looking ahead."""

    def __init__(self, office: Office, cases: Cases) -> None:
        self._office = office
        self._cases = cases

    async def of_instance(self, caller: Caller, iid: int) -> PathView:
        """What is expected of a request that the caller may see."""
        office = self._office
        held = await self._cases.seen(caller, iid)
        tenant = caller.principal.tenant
        usual_ms = await office.lists.usual_ms(tenant, held.row.definition)
        path = foresee(held.definition, held.state, office.clock.now_ms(), office.facts(tenant), usual_ms)
        return _shown(path, held.definition.graph, await office.people.organisation(tenant))

    async def of_start(self, caller: Caller, process: str, variables: dict[str, object]) -> PathView:
        """What would be expected of a request, were it submitted like this. Nothing is started.

        Raises:
            NotFoundError: there is no such process.
            DeniedError: the caller may not start it.
        """
        office, tenant = self._office, caller.principal.tenant
        row = await self._cases.startable(caller, process)
        organisation = await office.people.organisation(tenant)
        definition = await office.catalogue.get(row.id)
        now_ms, facts = office.clock.now_ms(), office.facts(tenant)
        command = c.StartInstance(caller.person.id, organisation.snapshot(caller.person), variables)
        started = step(definition, State(), command, now_ms, facts)
        if isinstance(started, Rejected):
            return PathView(refused=started.code)
        usual_ms = await office.lists.usual_ms(tenant, row.id)
        return _shown(foresee(definition, started.state, now_ms, facts, usual_ms), definition.graph, organisation)


def _shown(path: Path, graph: Graph, organisation: Organisation) -> PathView:
    return PathView(
        steps=[
            PathStep(
                element=element_ref(graph.elements[expected.task.element], expected.task.name),
                assignee=person_or_none(organisation, expected.task.assignee),
                groups=list(expected.task.groups),
                open=expected.open,
                round=expected.task.round,
                from_at=iso_or_none(expected.from_ms),
                until_at=iso_or_none(expected.until_ms),
            )
            for expected in path.tasks
        ],
        complete=path.complete,
        ends_at=iso_or_none(path.ends_ms),
    )
