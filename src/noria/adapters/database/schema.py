"""The schema, one for SQLite and PostgreSQL. `shard` leads every key of the hot path (docs/explanation/storage.md).

Migrations make it (`migrations/`); a test compares them with this file. The search index is of each database's own
kind, and stands in migrations 13 and 17 alone.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from noria.operate.redefining import REDEFINING

metadata = sa.MetaData()

_OPEN = sa.text("status = 0")
_ODD = sa.text("status > 1")
"""Neither open nor completed: few, but asked for by themselves."""
_CALLED = sa.text("parent > 0")
_NUMBERED = sa.text("bkey <> ''")
_IN_A_UNIT = sa.text("unit <> ''")
"""What an instance does not have has no entry."""

Int = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Bytes = sa.LargeBinary()
Text = sa.Text()


def _column(name: str, kind: sa.types.TypeEngine[Any], *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=key, nullable=False, autoincrement=False)


def _int(name: str, *, key: bool = False) -> sa.Column[Any]:
    return _column(name, Int, key=key)


def _text(name: str, *, key: bool = False) -> sa.Column[Any]:
    return _column(name, Text, key=key)


def _bytes(name: str) -> sa.Column[Any]:
    return _column(name, Bytes)


def _prio() -> sa.Column[Any]:
    # A process of the version before this one writes rows without it, while others are updated one by one.
    return sa.Column("prio", Int, nullable=False, server_default="0")


def _name() -> sa.Column[Any]:
    # Likewise.
    return sa.Column("name", Text, nullable=False, server_default=sa.text("''"))


_PREFERRED = sa.text("prio > 0")
"""Of most work nobody says how urgent it is; only the rest has entries in the indexes that go by priority."""

_BY_PROXY = sa.text("proxy <> ''")

_REDEFINES = sa.text(f"action IN ({', '.join(repr(action) for action in REDEFINING)})")

shard = sa.Table(
    "shard",
    metadata,
    _int("shard", key=True),
    _int("epoch"),
    _text("owner"),
    _int("seq"),
    _bytes("head"),
    postgresql_with={"fillfactor": 20},
)

process = sa.Table(
    "process",
    metadata,
    _text("id", key=True),
    _text("address"),
    _text("machine"),
    _int("lease_until"),
)
"""Engine processes that are alive, owners of shards. Whoever lets the lease run out loses all its shards at once."""

inst = sa.Table(
    "inst",
    metadata,
    _int("shard", key=True),
    _int("iid", key=True),
    _int("tenant"),
    _int("definition"),
    _int("ver"),
    _int("status"),
    _text("bkey"),
    _text("title"),
    _text("summary"),
    _text("starter"),
    _text("unit"),
    _int("parent"),
    _int("parent_token"),
    _int("started"),
    _int("ended"),
    _int("round"),
    _int("incidents"),
    _bytes("state"),
    # What substitutes are limited by; null when the model gives no number.
    sa.Column("amount", sa.Double()),
    sa.Index("inst_definition", "tenant", "definition", "status"),
    sa.Index("inst_bkey", "tenant", "bkey", sqlite_where=_NUMBERED, postgresql_where=_NUMBERED),
    sa.Index("inst_starter", "tenant", "starter", "started"),
    sa.Index("inst_started", "tenant", "started"),
    sa.Index("inst_unit", "tenant", "unit", "started", sqlite_where=_IN_A_UNIT, postgresql_where=_IN_A_UNIT),
    sa.Index("inst_open", "tenant", "started", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sa.Index("inst_odd", "tenant", "status", "started", sqlite_where=_ODD, postgresql_where=_ODD),
    sa.Index("inst_parent", "parent", "parent_token", sqlite_where=_CALLED, postgresql_where=_CALLED),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 70},
)

journal = sa.Table(
    "journal",
    metadata,
    _int("shard", key=True),
    _int("seq", key=True),
    _int("iid"),
    _int("ver"),
    _int("ts"),
    _text("actor"),
    _text("action"),
    _text("key"),
    _bytes("origin"),
    _bytes("ev"),
    _bytes("head"),
    sa.Index("journal_instance", "iid", "ver"),
    # Few entries: those by which an instance goes on by another definition.
    sa.Index("journal_redefining", "iid", "ver", sqlite_where=_REDEFINES, postgresql_where=_REDEFINES),
    sqlite_with_rowid=False,
)

task = sa.Table(
    "task",
    metadata,
    _int("shard", key=True),
    _int("iid", key=True),
    _int("tok", key=True),
    _int("tenant"),
    _int("definition"),
    _int("element"),
    _text("assignee"),
    _int("created"),
    _int("due"),
    _int("prio"),
    _int("round"),
    _int("version"),
    _int("claimed"),
    _name(),
    sa.Column("provisional", Int, nullable=False, server_default="0"),
    sa.Column("opinion", Int, nullable=False, server_default="0"),
    sa.Index("task_assignee", "tenant", "assignee", "due"),
    sa.Index("task_definition", "tenant", "definition", "element"),
    sqlite_with_rowid=False,
)

candidate = sa.Table(
    "candidate",
    metadata,
    _int("shard", key=True),
    _int("iid", key=True),
    _int("tok", key=True),
    _text("kind", key=True),
    _text("name", key=True),
    _int("tenant"),
    sa.Index("candidate_name", "tenant", "kind", "name"),
    sqlite_with_rowid=False,
)

timer = sa.Table(
    "timer",
    metadata,
    _int("shard", key=True),
    _int("iid", key=True),
    _int("timer", key=True),
    _int("tenant"),
    _int("due"),
    _prio(),
    sa.Index("timer_due", "due"),
    sa.Index("timer_prio", "prio", "due", sqlite_where=_PREFERRED, postgresql_where=_PREFERRED),
    sqlite_with_rowid=False,
)

job = sa.Table(
    "job",
    metadata,
    _int("shard", key=True),
    _int("iid", key=True),
    _int("tok", key=True),
    _int("tenant"),
    _text("topic"),
    _int("due"),
    _int("retries"),
    _int("lease_until"),
    _text("lease_token"),
    _text("worker"),
    _prio(),
    sa.Index("job_topic", "tenant", "topic", "due"),
    sa.Index("job_prio", "tenant", "topic", "prio", "due", sqlite_where=_PREFERRED, postgresql_where=_PREFERRED),
    sqlite_with_rowid=False,
)

wait = sa.Table(
    "wait",
    metadata,
    _int("shard", key=True),
    _int("iid", key=True),
    _int("wait", key=True),
    _int("tenant"),
    _int("signal"),
    _text("name"),
    _text("corr"),
    sa.Index("wait_name", "tenant", "signal", "name", "corr"),
    sqlite_with_rowid=False,
)

outbox = sa.Table(
    "outbox",
    metadata,
    _int("shard", key=True),
    _int("n", key=True),
    _int("tenant"),
    _text("kind"),
    _text("name"),
    _text("corr"),
    _bytes("body"),
    _int("expires"),
    sqlite_with_rowid=False,
)

dedup = sa.Table(
    "dedup",
    metadata,
    _int("shard", key=True),
    _text("key", key=True),
    _int("iid"),
    _int("ver"),
    _int("at"),
    sa.Index("dedup_key", "key"),
    sa.Index("dedup_at", "at"),
    sqlite_with_rowid=False,
)

serial = sa.Table(
    "serial",
    metadata,
    _int("tenant", key=True),
    _text("name", key=True),
    _text("period", key=True),
    _int("n"),
    sqlite_with_rowid=False,
)

cursor = sa.Table(
    "cursor",
    metadata,
    _text("consumer", key=True),
    _int("shard", key=True),
    _int("seq"),
    sqlite_with_rowid=False,
)

deployment = sa.Table(
    "deployment",
    metadata,
    _int("id", key=True),
    _int("tenant"),
    _int("at"),
    _text("by"),
)

resource = sa.Table(
    "resource",
    metadata,
    _int("deployment", key=True),
    _text("name", key=True),
    _text("kind"),
    _text("digest"),
    _bytes("content"),
)

definition = sa.Table(
    "definition",
    metadata,
    _int("id", key=True),
    _int("tenant"),
    _text("key"),
    _int("version"),
    _text("name"),
    _int("deployment"),
    _text("resource"),
    _int("at"),
    _text("by"),
    sa.UniqueConstraint("tenant", "key", "version", name="definition_version"),
)

start_timer = sa.Table(
    "start_timer",
    metadata,
    _int("definition", key=True),
    _text("element", key=True),
    _int("tenant"),
    _int("due"),
    _int("remaining"),
    _text("interval"),
    _prio(),
    # Likewise.
    sa.Column("calendar", Text, nullable=False, server_default=sa.text("''")),
    sa.Column("calendar_version", Int, nullable=False, server_default="0"),
    sa.Column("start", Int, nullable=False, server_default="0"),
    sa.Column("duration", Text, nullable=False, server_default=sa.text("''")),
    sa.Column("provisional", Int, nullable=False, server_default="0"),
    sa.Index("start_timer_due", "due"),
)

person = sa.Table(
    "person",
    metadata,
    _int("tenant", key=True),
    _text("id", key=True),
    _text("username"),
    _int("created"),
    sa.UniqueConstraint("tenant", "username", name="person_username"),
)

org_change = sa.Table(
    "org_change",
    metadata,
    _int("tenant", key=True),
    _text("kind", key=True),
    _text("id", key=True),
    _int("valid_from", key=True),
    _text("fields"),
    _int("recorded"),
    _text("by"),
)
"""The history of people and units: from an instant on, some of their fields have these values."""

substitution = sa.Table(
    "substitution",
    metadata,
    _int("tenant", key=True),
    _text("id", key=True),
    _text("principal"),
    _text("substitute"),
    _int("since"),
    _int("until"),
    _text("processes"),
    sa.Column("amount_max", sa.Double()),
    _int("created"),
    _text("created_by"),
    _int("ended"),
    _text("ended_by"),
    _text("kept"),
    sa.Column("passes_on", Int, nullable=False, server_default="0"),
    sa.Index("substitution_principal", "tenant", "principal"),
)

credential = sa.Table(
    "credential",
    metadata,
    _int("tenant", key=True),
    _text("person", key=True),
    _text("hash"),
    _int("failures"),
    _int("locked_until"),
    _int("changed"),
    _int("must_change"),
)

session = sa.Table(
    "session",
    metadata,
    _text("hash", key=True),
    _int("tenant"),
    _text("person"),
    _text("csrf"),
    _int("created"),
    _int("seen"),
    _int("expires"),
    _text("address"),
    _text("device"),
    sa.Index("session_person", "tenant", "person"),
)

access_token = sa.Table(
    "access_token",
    metadata,
    _text("hash", key=True),
    _text("id"),
    _int("tenant"),
    _text("person"),
    _text("name"),
    _int("created"),
    _int("expires"),
    _int("used"),
    sa.Index("access_token_tenant", "tenant", "created"),
)

password_link = sa.Table(
    "password_link",
    metadata,
    _text("hash", key=True),
    _int("tenant"),
    _text("person"),
    _int("created"),
    _int("expires"),
    sa.Index("password_link_person", "tenant", "person"),
)

audit = sa.Table(
    "audit",
    metadata,
    _int("seq", key=True),
    _int("tenant"),
    _int("ts"),
    _text("actor"),
    _text("action"),
    _text("object_type"),
    _text("object_id"),
    _text("outcome"),
    _text("reason"),
    _text("before"),
    _text("after"),
    _text("origin"),
    _bytes("head"),
    sa.Index("audit_actor", "tenant", "actor", "ts"),
    sa.Index("audit_action", "tenant", "action", "ts"),
    sa.Index("audit_object", "tenant", "object_type", "object_id"),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    _int("id", key=True),
    _int("seq"),
    _bytes("head"),
)

blob = sa.Table(
    "blob",
    metadata,
    _int("tenant", key=True),
    _text("hash", key=True),
    _text("name"),
    _text("media_type"),
    _int("size"),
    _text("by"),
    _int("at"),
    _bytes("content"),
)

blob_use = sa.Table(
    "blob_use",
    metadata,
    _int("tenant", key=True),
    _text("hash", key=True),
    _text("person", key=True),
    _int("iid", key=True),
)
"""Who may read a file: its uploaders (person, iid 0), and who sees an instance whose data name it (person "", iid)."""

notice = sa.Table(
    "notice",
    metadata,
    _int("shard", key=True),
    _int("seq", key=True),
    _int("n", key=True),
    _int("tenant"),
    _text("person"),
    _int("at"),
    _text("kind"),
    _int("iid"),
    _int("tok"),
    _text("params"),
    _int("read"),
    sa.Index("notice_person", "tenant", "person", "at"),
)

channel = sa.Table(
    "channel",
    metadata,
    _int("tenant", key=True),
    _text("id", key=True),
    _text("chosen"),
    _text("secrets"),
)

device = sa.Table(
    "device",
    metadata,
    _int("tenant", key=True),
    _text("id", key=True),
    _text("person"),
    _text("name"),
    _text("endpoint"),
    _text("p256dh"),
    _text("auth"),
    _text("key"),
    _int("created"),
    _int("used"),
    _text("taken"),
    sa.Index("device_person", "tenant", "person"),
)

preference = sa.Table(
    "preference",
    metadata,
    _int("tenant", key=True),
    _text("person", key=True),
    _text("chosen"),
)

delivery = sa.Table(
    "delivery",
    metadata,
    _int("shard", key=True),
    _int("seq", key=True),
    _int("n", key=True),
    _text("channel", key=True),
    _int("tenant"),
    _text("person"),
    _text("people"),
    _int("at"),
    _text("kind"),
    _int("iid"),
    _int("tok"),
    _text("params"),
    _text("state"),
    _int("due"),
    _int("attempts"),
    _text("error"),
    _int("sent"),
    _text("message"),
    sa.Index("delivery_state", "state", "due"),
    sa.Index("delivery_sent", "tenant", "channel", "person", "sent"),
)

draft = sa.Table(
    "draft",
    metadata,
    _int("tenant", key=True),
    _text("person", key=True),
    _text("what", key=True),
    _bytes("value"),
    _int("at"),
)

phrases = sa.Table(
    "phrases",
    metadata,
    _int("tenant", key=True),
    _text("person", key=True),
    _text("texts"),
)

saved_filter = sa.Table(
    "saved_filter",
    metadata,
    _int("tenant", key=True),
    _text("person", key=True),
    _text("id", key=True),
    _text("list"),
    _text("name"),
    _text("query"),
    _int("at"),
    sa.UniqueConstraint("tenant", "person", "list", "name", name="saved_filter_name"),
)

visit = sa.Table(
    "visit",
    metadata,
    _int("iid", key=True),
    _int("tok", key=True),
    _int("tenant"),
    _int("definition"),
    _int("element"),
    _int("entered"),
    _int("claimed"),
    _int("closed"),
    _text("outcome"),
    _text("actor"),
    _int("due"),
    _int("round"),
    _int("human"),
    _int("handling"),
    _int("waiting"),
    _int("handling_work"),
    _int("waiting_work"),
    _name(),
    sa.Column("proxy", Text, nullable=False, server_default=sa.text("''")),
    sa.Column("calendar", Text, nullable=False, server_default=sa.text("''")),
    sa.Column("calendar_version", Int, nullable=False, server_default="0"),
    sa.Index("visit_closed", "tenant", "definition", "closed"),
    # SQLite's indexes have the key of the row anyway.
    sa.Index(*("visit_actor", "tenant", "actor", "human", "closed"), postgresql_include=["iid", "tok", "definition"]),
    # Few entries: what a substitute did.
    sa.Index("visit_proxy", "tenant", "proxy", "closed", sqlite_where=_BY_PROXY, postgresql_where=_BY_PROXY),
    sqlite_with_rowid=False,
)

flow_count = sa.Table(
    "flow_count",
    metadata,
    _int("tenant", key=True),
    _int("definition", key=True),
    _int("flow", key=True),
    _text("day", key=True),
    _int("n"),
    sqlite_with_rowid=False,
)

occurrence = sa.Table(
    "occurrence",
    metadata,
    _int("shard", key=True),
    _int("seq", key=True),
    _int("n", key=True),
    _int("tenant"),
    _int("definition"),
    _int("iid"),
    _int("element"),
    _text("kind"),
    _int("at"),
    sa.Index("occurrence_at", "tenant", "definition", "kind", "at"),
    sqlite_with_rowid=False,
)

life = sa.Table(
    "life",
    metadata,
    _int("iid", key=True),
    _int("tenant"),
    _int("definition"),
    _int("started"),
    _int("ended"),
    _int("status"),
    _int("cycle_work"),
    sa.Index("life_started", "tenant", "definition", "started"),
    sa.Index("life_ended", "tenant", "definition", "ended"),
)

PROJECTION = (visit, flow_count, occurrence, life)
"""Tables of the board's projection: dropped and rebuilt from the journal at any time."""

batch = sa.Table(
    "batch",
    metadata,
    _text("id", key=True),
    _int("tenant"),
    _text("process"),
    _text("kind"),
    _text("plan"),
    _text("by"),
    _text("reason"),
    _int("created"),
    _int("ended"),
    _text("undone_by"),
    _int("total"),
    sa.Index("batch_tenant", "tenant", "created"),
)

batch_item = sa.Table(
    "batch_item",
    metadata,
    _text("batch", key=True),
    _int("iid", key=True),
    _text("state"),
    _int("ver"),
    _text("code"),
    _text("message"),
    sa.Index("batch_item_state", "batch", "state"),
)

calendar = sa.Table(
    "calendar",
    metadata,
    _int("tenant", key=True),
    _text("id", key=True),
    _int("version", key=True),
    _text("body"),
    _int("at"),
    _text("by"),
    _text("note"),
)

calendar_unit = sa.Table(
    "calendar_unit",
    metadata,
    _int("tenant", key=True),
    _text("unit", key=True),
    _text("calendar"),
)

observation = sa.Table(
    "observation",
    metadata,
    _int("tenant", key=True),
    _text("name", key=True),
    _int("version", key=True),
    _text("value"),
    _int("valid_from"),
    _int("valid_until"),
    _int("at"),
    _text("by"),
)
"""What integrators have said of the world; 0 in `valid_until` is for what holds until something else is said."""

setting = sa.Table(
    "setting",
    metadata,
    _int("tenant", key=True),
    _text("name", key=True),
    _text("value"),
)
