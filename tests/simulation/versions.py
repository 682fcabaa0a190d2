"""What is deployed: a model, and later a next version of its first process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from noria.engine.definition import Definition
from noria.operate.deploying import Catalogue, DefinitionRow, Resource, StartTimerRow
from tests.simulation.bpmn import RULES, to_bpmn
from tests.simulation.history import ViolationError
from tests.simulation.loop import StillLoop
from tests.simulation.models import Boundary, Model, Pass, Process, ScriptTask, Sequence, Trigger, UserTask, goes_on
from tests.simulation.server import FACTS


class _Deployments:
    """`CatalogueStore` in memory."""

    def __init__(self) -> None:
        self.rows: list[DefinitionRow] = []

    async def definitions(self, after: int = 0) -> list[DefinitionRow]:
        return []

    async def newest_resources(self, tenant: int, kind: str, before: int | None = None) -> list[Resource]:
        return []

    async def deploy(
        self,
        tenant: int,
        by: str,
        now_ms: int,
        resources: list[Resource],
        definitions: list[DefinitionRow],
        timers: Mapping[str, list[StartTimerRow]],
    ) -> int:
        assert not any(timers.values()), "no simulated process is started by a timer"
        deployment = 1 + max((row.deployment for row in self.rows), default=0)
        for row in definitions:
            row.id, row.version, row.deployment = len(self.rows) + 1, deployment, deployment
            self.rows.append(row)
        return deployment


class Versions:
    """The versions of one world's processes.

    Attributes:
        catalogue: the product's own.
        xml: what was deployed last.
        first: id of the first version of the process that is started.
        newest: id of its newest version.
    """

    def __init__(self, model: Model, now_ms: int) -> None:
        self.catalogue = Catalogue(_Deployments())
        self._processes: dict[int, Process] = {}
        self.xml = b""
        self.first = self.newest = self.deploy(model, now_ms)

    def deploy(self, model: Model, now_ms: int) -> int:
        """Deploy a model; gives the id of its first process.

        Raises:
            ViolationError: it is not accepted.
        """
        self.xml = to_bpmn(model)
        files = {"model.bpmn": self.xml, "rules.dmn": RULES}
        deployed = StillLoop().run_until_complete(self.catalogue.deploy(1, "modeller", files, now_ms, FACTS))
        if not deployed.id:
            raise ViolationError("model", "; ".join(str(finding) for finding in deployed.findings))
        for process in model.processes:
            row = self.catalogue.find(1, process.key)
            assert row is not None
            self._processes[row.id] = process
        self.newest = next(number for number, process in self._processes.items() if process is model.processes[0])
        return self.newest

    def definition(self, number: int) -> Definition:
        """What was compiled from a version."""
        compiled = self.catalogue.compiled(number)
        assert compiled is not None
        return compiled

    def process(self, number: int) -> Process:
        """What a version was written from."""
        return self._processes[number]


def extended(model: Model) -> Model:
    """A next version: one more element before the end, and one more event at a task that may be running."""
    first, *called = model.processes
    assert isinstance(first.body, Sequence)
    blocks = list(first.body.blocks)
    for place, block in enumerate(blocks):
        if isinstance(block, UserTask) and block.loop is None and not block.boundaries:
            late = ScriptTask(f"{block.id}_script", f"v_{block.id}", 0)
            boundary = Boundary(f"{block.id}_added", Trigger("timer", "PT20M"), interrupting=False, then=late)
            blocks[place] = replace(block, boundaries=(boundary,))
            break
    if goes_on(first.body):
        blocks.append(Pass("added", "task"))
    return Model((replace(first, body=Sequence(tuple(blocks))), *called))
