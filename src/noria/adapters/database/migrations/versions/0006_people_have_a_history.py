"""People and units have a history; what is known of them so far is valid from the beginning."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOVED = ("name", "unit", "email", "active")


def _read(query: str) -> list[dict[str, object]]:
    return [dict(row) for row in op.get_bind().execute(sa.text(query)).mappings()]


def upgrade() -> None:
    """Apply."""
    change = op.create_table(
        "org_change",
        sa.Column("tenant", _INT, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), primary_key=True, nullable=False),
        sa.Column("id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("valid_from", _INT, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("recorded", _INT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
    )
    roles: dict[tuple[object, object], list[object]] = {}
    for row in _read("SELECT tenant, person, role FROM person_role ORDER BY role"):
        roles.setdefault((row["tenant"], row["person"]), []).append(row["role"])
    rows: list[dict[str, object]] = []
    for row in _read("SELECT tenant, id, name, unit, email, active, created FROM person"):
        fields = {
            "name": row["name"],
            "unit": row["unit"],
            "email": row["email"],
            "active": bool(row["active"]),
            "roles": roles.get((row["tenant"], row["id"]), []),
            "position": "",
            "posts": [],
            "lines": [],
        }
        rows.append({**_key(row, "person"), "fields": json.dumps(fields), "recorded": row["created"]})
    for row in _read("SELECT tenant, id, name, parent, manager FROM unit"):
        fields = {
            "name": row["name"],
            "parent": row["parent"],
            "manager": row["manager"],
            "acting": [],
            "lines": [],
            "active": True,
        }
        rows.append({**_key(row, "unit"), "fields": json.dumps(fields), "recorded": 0})
    if rows:
        op.bulk_insert(change, rows)
    op.drop_table("person_role")
    op.drop_table("unit")
    for column in _MOVED:
        op.drop_column("person", column)


def _key(row: dict[str, object], kind: str) -> dict[str, object]:
    return {"tenant": row["tenant"], "kind": kind, "id": row["id"], "valid_from": 0, "by": ""}


def downgrade() -> None:
    """Revert, with the newest value of each field; posts, positions and second managers are lost."""
    op.create_table(
        "unit",
        sa.Column("tenant", _INT, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=False),
    )
    op.create_table(
        "person_role",
        sa.Column("tenant", _INT, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("person", sa.Text(), primary_key=True, nullable=False),
        sa.Column("role", sa.Text(), primary_key=True, nullable=False),
    )
    op.create_index("person_role_role", "person_role", ["tenant", "role"])
    for column in _MOVED:
        number = column == "active"
        default = "1" if number else sa.text("''")
        op.add_column(
            "person", sa.Column(column, _INT if number else sa.Text(), nullable=False, server_default=default)
        )
    newest: dict[tuple[object, object, object], dict[str, object]] = {}
    for row in _read("SELECT tenant, kind, id, fields FROM org_change ORDER BY valid_from"):
        newest.setdefault((row["tenant"], row["kind"], row["id"]), {}).update(json.loads(str(row["fields"])))
    bind = op.get_bind()
    for (tenant, kind, key), fields in newest.items():
        values = {**fields, "tenant": tenant, "id": key, "active": int(bool(fields.get("active", True)))}
        if kind == "unit":
            text = (
                "INSERT INTO unit (tenant, id, name, parent, manager) VALUES (:tenant, :id, :name, :parent, :manager)"
            )
            bind.execute(sa.text(text), {name: values[name] for name in ("tenant", "id", "name", "parent", "manager")})
            continue
        text = "UPDATE person SET name = :name, unit = :unit, email = :email, active = :active "
        text += "WHERE tenant = :tenant AND id = :id"
        bind.execute(sa.text(text), {name: values[name] for name in (*_MOVED, "tenant", "id")})
        for role in dict.fromkeys(fields.get("roles", [])):  # type: ignore[call-overload]
            text = "INSERT INTO person_role (tenant, person, role) VALUES (:tenant, :person, :role)"
            bind.execute(sa.text(text), {"tenant": tenant, "person": key, "role": role})
    op.drop_table("org_change")
