"""What servers begin with in tests that do not ask how it came there: made once, then copied or lent out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from argon2 import PasswordHasher as Argon2
from litestar import Litestar

from noria.adapters.demo.company import DEMO_PASSWORD, DEMO_TENANT, PEOPLE, UNITS
from noria.adapters.demo.seeding import example_files
from noria.adapters.http.app import create_app
from noria.adapters.http.services import Services
from noria.bootstrap import Noria
from noria.kernel.instants import parse_instant
from noria.trust.people import Person
from noria.trust.signing_in import Credential
from tests.clocks import MovedClock

# A hash names its own cost: the product checks it as any other, in microseconds instead of 20 ms of processor time.
_QUICK_HASH = Argon2(time_cost=1, memory_cost=8, parallelism=1).hash(DEMO_PASSWORD)

# Making an application takes longer than most tests; all that it knows of one server are the services in its state.
_idle: list[Litestar] = []


async def give_passwords(noria: Noria, people: Iterable[Person], now_ms: int) -> None:
    """Everybody signs in with the demonstration's password."""
    for person in people:
        await noria.people.put_credential(DEMO_TENANT, Credential(person.id, _QUICK_HASH), now_ms)


async def write_company(url: str, more: Sequence[Person] = ()) -> None:
    """Write the demonstration's people, with some more, and its purchase into an empty database."""
    clock = MovedClock()
    noria = await Noria.open(url, clock=clock)
    now_ms = clock.now_ms()
    people = [*PEOPLE, *more]
    # They have been there for long: a test may set the clock back.
    since_ms = parse_instant("2026-01-01T00:00:00Z")
    await noria.people.put(DEMO_TENANT, people, list(UNITS), now_ms, valid_from=since_ms)
    await give_passwords(noria, people, now_ms)
    await noria.catalogue.deploy(DEMO_TENANT, "he", example_files(), now_ms, noria.facts(DEMO_TENANT))
    await noria.close()


def lend_app(services: Services) -> Litestar:
    """An application for a server that nobody else uses until it is given back."""
    if not _idle:
        return create_app(services)
    app = _idle.pop()
    app.state.services = services
    return app


def give_back_app(app: Litestar) -> None:
    """Its server has been closed."""
    del app.state.services
    _idle.append(app)
