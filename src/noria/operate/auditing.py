"""The audit trail as people and programs read it: commands from the journal, everything else from the records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import blake2b
from typing import Protocol

import msgspec

from noria.engine import events as e
from noria.engine.evolve import APPLY
from noria.engine.state import State, StateFormatError, decode_state, encode_state
from noria.operate.cases import Cases
from noria.operate.changes import GENESIS, chained
from noria.operate.office import Caller, Office, iso, person_or_none
from noria.operate.requests import Origin
from noria.operate.rows import JournalRow, Shard
from noria.operate.timeline import between, history_of, owner_of
from noria.operate.views import AuditEntry, AuditList, Page
from noria.trust.audit import AuditRecord, chained_record
from noria.trust.people import Organisation
from noria.trust.policy import Permission

_origin = msgspec.msgpack.Decoder(Origin)


class AuditFilter(msgspec.Struct, frozen=True):
    """Which records: "" and 0 mean any."""

    actor: str = ""
    action: str = ""
    object: str = ""
    outcome: str = ""
    start_ms: int = 0
    end_ms: int = 2**62


class StoredRecord(msgspec.Struct):
    """A record with its place in the chain, and the hash of the one before it."""

    seq: int
    record: AuditRecord
    head: bytes
    prev: bytes = GENESIS


class AuditReader(Protocol):
    """Reading the trail."""

    def snapshot(self) -> AbstractAsyncContextManager[AuditReader]:
        """The trail as it is now, whatever is written while it is read."""
        ...

    async def records(self, tenant: int, wanted: AuditFilter, limit: int) -> tuple[list[StoredRecord], int]:
        """The newest records that fit, and how many there are."""
        ...

    async def commands(self, tenant: int, wanted: AuditFilter, limit: int) -> tuple[list[JournalRow], int]:
        """The newest journal rows that fit, and how many there are."""
        ...

    async def heads_before(self, rows: Sequence[JournalRow]) -> list[bytes]:
        """For each row the hash of the one before it in its shard."""
        ...

    def all_records(self) -> AsyncIterator[StoredRecord]:
        """The whole chain, oldest first."""
        ...

    async def chain_head(self) -> tuple[int, bytes]:
        """Number and hash of the last record."""
        ...

    def all_rows(self) -> AsyncIterator[JournalRow]:
        """The whole journal, by shard and number."""
        ...

    async def shards(self) -> list[Shard]:
        """The heads of all shards."""
        ...

    def states(self) -> AsyncIterator[tuple[int, int, bytes]]:
        """Instance, version of the state that is stored, and that state of every instance, by instance."""
        ...


class Auditing:
    """The use cases of auditors."""

    def __init__(self, office: Office, cases: Cases, reader: AuditReader) -> None:
        self._office = office
        self._cases = cases
        self._reader = reader

    async def find(self, caller: Caller, wanted: AuditFilter, limit: int, offset: int) -> Page[AuditEntry]:
        """Records of the whole tenant, newest first.

        Raises:
            DeniedError: the caller is no auditor.
        """
        await self._office.require(caller, Permission.AUDIT, "audit")
        tenant = caller.principal.tenant
        organisation = await self._office.people.organisation(tenant)
        records, count = await self._reader.records(tenant, wanted, limit + offset)
        commands, more = await self._reader.commands(tenant, wanted, limit + offset)
        entries = [(item.record.ts, record_entry(item, organisation)) for item in records]
        heads = await self._reader.heads_before(commands)
        entries += [(row.ts, command_entry(row, prev, organisation)) for row, prev in zip(commands, heads, strict=True)]
        entries.sort(key=lambda item: item[0], reverse=True)
        return Page([entry for _, entry in entries[offset : offset + limit]], count + more, limit, offset)

    async def of_instance(self, caller: Caller, iid: int) -> AuditList:
        """Every command on one instance, with fields before and after."""
        held = await self._cases.seen(caller, iid)
        organisation = await self._office.people.organisation(caller.principal.tenant)
        rows = await self._office.store.journal_of(iid)
        history = await history_of(self._office, held, organisation)
        changes: dict[int, tuple[dict[str, object], dict[str, object]]] = {}
        for item in history.items():
            before, after = changes.setdefault(item.seq, ({}, {}))
            for change in item.changes:
                before.setdefault(change.name, change.before)
                after[change.name] = change.after
        entries = []
        for row, prev in zip(rows, await self._reader.heads_before(rows), strict=True):
            entry = command_entry(row, prev, organisation)
            entry.before, entry.after = changes.get(row.ver, ({}, {}))
            entries.append(entry)
        return AuditList(entries)


def command_entry(row: JournalRow, prev: bytes, organisation: Organisation) -> AuditEntry:
    """A journal row as an audit entry; what it wrote is in `after`."""
    origin = _origin.decode(row.origin)
    after: dict[str, object] = {}
    owner = ""
    for event in e.decode_events(row.ev):
        owner = owner or owner_of(event, row, organisation)
        if isinstance(event, e.VariablesSet):
            after.update(event.values)
    return AuditEntry(
        stream=f"journal/{row.shard}",
        seq=row.seq,
        at=iso(row.ts),
        actor=person_or_none(organisation, row.actor),
        on_behalf_of=person_or_none(organisation, owner),
        via=between(row, organisation) if owner else [],
        action=row.action,
        subject={"type": "instance", "id": str(row.iid)},
        outcome="ok",
        address=origin.address,
        device=origin.device,
        before={},
        after=after,
        reason="",
        hash=row.head.hex(),
        prev=prev.hex(),
    )


def record_entry(item: StoredRecord, organisation: Organisation) -> AuditEntry:
    """A record as an audit entry."""
    record = item.record
    origin = msgspec.json.decode(record.origin)
    return AuditEntry(
        stream="records",
        seq=item.seq,
        at=iso(record.ts),
        actor=person_or_none(organisation, record.actor),
        action=record.action,
        subject={"type": record.object_type, "id": record.object_id},
        outcome=record.outcome,
        address=str(origin.get("address", "")),
        device=str(origin.get("device", "")),
        before=msgspec.json.decode(record.before),
        after=msgspec.json.decode(record.after),
        reason=record.reason,
        hash=item.head.hex(),
        prev=item.prev.hex(),
    )


class AuditVerdict(msgspec.Struct):
    """What a verification found.

    Attributes:
        rows: journal rows checked.
        records: audit records checked.
        instances: instances whose stored state was compared with the replay of their events.
        first_bad: the first entry that does not hold, "" when all do.
        reason: what is wrong with it.
    """

    rows: int = 0
    records: int = 0
    instances: int = 0
    first_bad: str = ""
    reason: str = ""


async def verify_audit(reader: AuditReader) -> AuditVerdict:
    """Check both chains from the first entry, and every stored state against the replay of its events.

    The first bad entry is named; what comes behind it is not looked at. A chain shows changes, gaps and insertions;
    who can rewrite the whole database can rewrite the chain too, which is what outside witnesses are for.
    """
    async with reader.snapshot() as trail:
        return await _verify(trail)


async def _verify(reader: AuditReader) -> AuditVerdict:
    verdict = AuditVerdict()
    heads = {shard.shard: shard for shard in await reader.shards()}
    written = {iid: _Written(version, stored) async for iid, version, stored in reader.states()}
    seen: dict[int, tuple[int, bytes]] = {}
    states: dict[int, State] = {}
    async for row in reader.all_rows():
        seq, head = seen.get(row.shard, (0, GENESIS))
        name = f"journal/{row.shard}/{row.seq}"
        if row.seq != seq + 1:
            return _bad(verdict, f"journal/{row.shard}/{seq + 1}", "The entry is missing.")
        if chained(head, row) != row.head:
            return _bad(verdict, name, f"The entry of instance {row.iid} was changed after it was written.")
        seen[row.shard] = (row.seq, row.head)
        state = states.setdefault(row.iid, State())
        try:
            for event in e.decode_events(row.ev):
                APPLY[event.__class__](state, event)
        except (KeyError, msgspec.DecodeError) as error:
            return _bad(verdict, name, f"The events of instance {row.iid} cannot be replayed: {error!r}.")
        state.version += 1
        verdict.rows += 1
        if row.iid in written:
            written[row.iid].compare(state)
    for number, shard in heads.items():
        seq, head = seen.get(number, (0, GENESIS))
        if (seq, head) != (shard.seq, shard.head):
            return _bad(verdict, f"journal/{number}/{seq + 1}", "The end of the shard's journal is missing or changed.")
    for iid, stored in written.items():
        states.pop(iid, None)
        if not stored.found:
            return _bad(verdict, f"instance/{iid}", "The stored state is not what the recorded events give.")
        verdict.instances += 1
    if states:
        return _bad(verdict, f"instance/{min(states)}", "The instance has events but no stored state.")
    return await _verify_records(reader, verdict)


class _Written:
    """A stored state, by its hash, until the replay comes to its version; the instance may be ahead of it.

    Attributes:
        found: whether the replay has given this state.
    """

    __slots__ = ("_digest", "_version", "found")

    def __init__(self, version: int, stored: bytes) -> None:
        self._version = version
        self.found = False
        try:
            self._digest = _digest(decode_state(stored))
        except StateFormatError:
            # No state has this digest, so that none is found.
            self._digest = b""

    def compare(self, state: State) -> None:
        """Look at a state that the replay has come to."""
        if state.version == self._version:
            self.found = _digest(state) == self._digest


def _digest(state: State) -> bytes:
    # Not the stored bytes: an earlier version of Noria may have written them in its own format.
    return blake2b(encode_state(state), digest_size=32).digest()


async def _verify_records(reader: AuditReader, verdict: AuditVerdict) -> AuditVerdict:
    seq, head = 0, GENESIS
    async for item in reader.all_records():
        if item.seq != seq + 1:
            return _bad(verdict, f"records/{seq + 1}", "The entry is missing.")
        if chained_record(head, item.seq, item.record) != item.head:
            return _bad(verdict, f"records/{item.seq}", "The entry was changed after it was written.")
        seq, head = item.seq, item.head
        verdict.records += 1
    if (seq, head) != await reader.chain_head():
        return _bad(verdict, f"records/{seq + 1}", "The end of the records is missing or changed.")
    return verdict


def _bad(verdict: AuditVerdict, entry: str, reason: str) -> AuditVerdict:
    verdict.first_bad, verdict.reason = entry, reason
    return verdict
