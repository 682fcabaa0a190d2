"""Operators put instances elsewhere, have them go on by another version, and take that back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from noria.engine import commands as c
from tests.simulation.moving import Shift, shifts

if TYPE_CHECKING:
    from tests.simulation.clients import People
    from tests.simulation.history import History
    from tests.simulation.server import Server
    from tests.simulation.world import World

WHY = "not as it should be"


class Operators:
    """What they ask for is sent as people's commands are.

    Attributes:
        shifts_left, migrations_left, suspensions_left: how often they still do so.
        meant: key of a command → what it was to do, for the oracle.
    """

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._people = people
        self._shifts = shifts(world.model)
        self.shifts_left = 0
        self.migrations_left = 0
        self.suspensions_left = 0
        self.meant: dict[str, Shift] = {}

    def operate(self, server: Server) -> bool:
        """Do one of these; gives False when there is nothing to do."""
        what = self._world.choose.below(4)
        if what == 0:
            return self.shift(server) or self.migrate(server)
        if what == 1:
            return self.migrate(server) or self.shift(server)
        if what == 2:
            return self.suspend(server) or self.resume(server)
        return self.restore(server) or self.shift(server)

    def shift(self, server: Server) -> bool:
        """Put a token elsewhere."""
        world = self._world
        if not self.shifts_left:
            return False
        here = [
            (history, token, element)
            for history in world.histories.values()
            for token, element in history.standing()
            if element in self._shifts
        ]
        if not here:
            return False
        self.shifts_left -= 1
        history, token, element = world.choose.one_of(here)
        shift = Shift(token, element, world.choose.one_of(self._shifts[element]))
        scope = history.state.tokens[token].scope
        command = self._people.command(history.iid, c.ModifyInstance("operator", WHY, shift.moves(scope)))
        self.meant[command.key] = shift
        return self._people.send(server, command)

    def migrate(self, server: Server) -> bool:
        """Have an instance go on by the next version, or by the first one again when they are alike."""
        versions = self._world.versions
        alike = versions.process(versions.newest) == versions.process(versions.first)
        # What is new in the next version may have happened, and the oracle knows one version of an instance.
        numbers = (versions.first, versions.newest) if alike else (versions.first,)
        open_ones = [history for history in self._open() if history.number in numbers]
        if not self.migrations_left or not open_ones:
            return False
        self.migrations_left -= 1
        history = self._world.choose.one_of(open_ones)
        before = history.number
        after = versions.newest if before == versions.first else versions.first
        command = self._people.command(history.iid, c.MigrateInstance("operator", WHY, before, after), target=after)
        return self._people.send(server, command)

    def restore(self, server: Server) -> bool:
        """Take a change back while nothing has happened since."""
        world = self._world
        changed = [
            history
            for history in self._open()
            if history.before is not None
            and history.state.version == history.before.state.version + 1
            and not history.told_outside
        ]
        if not changed:
            return False
        history = world.choose.one_of(changed)
        before = history.before
        assert before is not None
        command = c.RestoreInstance("operator", WHY, before.state, history.number, before.number, history.state.version)
        return self._people.send(server, self._people.command(history.iid, command, target=before.number))

    def suspend(self, server: Server) -> bool:
        """Have nothing happen to an instance for a while."""
        going_on = [history for history in self._open() if not history.state.suspended]
        if not self.suspensions_left or not going_on:
            return False
        self.suspensions_left -= 1
        iid = self._world.choose.one_of(going_on).iid
        return self._people.send(server, self._people.command(iid, c.SuspendInstance("operator", WHY)))

    def resume(self, server: Server) -> bool:
        """Have a suspended instance go on."""
        suspended = [history for history in self._open() if history.state.suspended]
        if not suspended:
            return False
        iid = self._world.choose.one_of(suspended).iid
        return self._people.send(server, self._people.command(iid, c.ResumeInstance("operator", WHY)))

    def _open(self) -> list[History]:
        return [history for history in self._world.histories.values() if not history.over]
