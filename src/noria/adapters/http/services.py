"""What the HTTP adapter is given by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from noria.adapters.http.live import LiveHub
from noria.monitor.watching import Watching
from noria.operate.attachments import Attachments
from noria.operate.auditing import Auditing
from noria.operate.bulk import Bulk
from noria.operate.calendaring import Calendaring
from noria.operate.cases import Cases
from noria.operate.desk import Desk
from noria.operate.devices import Devices
from noria.operate.forms import Forms
from noria.operate.inbox import Inbox
from noria.operate.invitations import Invitations
from noria.operate.models import Models
from noria.operate.office import Office
from noria.operate.operations import Operations
from noria.operate.paths import Paths
from noria.operate.printing import Printing
from noria.operate.provisioning import Provisioning
from noria.operate.rosters import Rosters
from noria.operate.rules import Rules
from noria.operate.saved_filters import SavedFilters
from noria.operate.staff import Staff
from noria.operate.substitutes import Substitutes
from noria.operate.surroundings import Environment
from noria.operate.telling import Telling
from noria.operate.together import Together
from noria.operate.tokens import Tokens
from noria.operate.verbs import Verbs
from noria.operate.workers import Workers
from noria.trust.signing_in import Accounts


class DemoAccount(msgspec.Struct, frozen=True):
    """An account for trying, shown on the sign-in page of a demo."""

    username: str
    name: str
    role: str
    password: str


class Services(msgspec.Struct):
    """The use cases, and what the server needs to know.

    Attributes:
        provisioning: loads its library when it is asked for.
        tenant: the tenant of this server's people.
        demo: accounts to show on the sign-in page; empty in a served instance.
        upload_bytes_max: largest file that may be uploaded.
        ready: raises when the server cannot serve now.
    """

    office: Office
    accounts: Accounts
    invitations: Invitations
    tokens: Tokens
    cases: Cases
    operations: Operations
    inbox: Inbox
    verbs: Verbs
    together: Together
    bulk: Bulk
    paths: Paths
    models: Models
    rules: Rules
    forms: Forms
    workers: Workers
    watching: Watching
    auditing: Auditing
    staff: Staff
    substitutes: Substitutes
    rosters: Rosters
    provisioning: Callable[[], Provisioning]
    telling: Telling
    devices: Devices
    desk: Desk
    filters: SavedFilters
    attachments: Attachments
    printing: Printing
    calendaring: Calendaring
    environment: Environment
    live: LiveHub
    tenant: int
    demo: tuple[DemoAccount, ...]
    upload_bytes_max: int
    ready: Callable[[], Awaitable[None]]
