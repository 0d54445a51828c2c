"""Studies are named by a UUID, which each gets here, instead of by their name; claims name their machine."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STUDY_UUID = "styletuner_uuid"
_NAMESPACE = uuid.UUID("5f7a3f0e-3f0b-4b57-9a57-1d2f0c1b8f66")
"""Of the UUIDs of names that no study has any more: what was kept about it is not lost, and is nobody else's."""


def upgrade() -> None:
    """Make each table anew with what it held."""
    uuids = _uuids_by_name()
    for name, columns in _TABLES.items():
        rows = list(op.get_bind().execute(sa.select(sa.table(name, *_typed(name)))).mappings())
        op.drop_table(name)
        table = op.create_table(name, *columns())
        if rows:
            op.bulk_insert(table, [_converted(row, uuids) for row in rows])


def _photo_quality() -> list[sa.Column[Any]]:
    return [
        sa.Column("study_uuid", sa.String(36), primary_key=True),
        sa.Column("trial_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rung", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("judge_version", sa.String(64), primary_key=True),
        sa.Column("photo_sha256", sa.String(64), primary_key=True),
        sa.Column("quality", sa.Double, nullable=False),
        sa.Column("content_preservation", sa.Double, nullable=False),
        sa.Column("style_match", sa.Double, nullable=False),
        sa.Column("artefact_factor", sa.Double, nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
    ]


def _study_locks() -> list[sa.Column[Any]]:
    return [sa.Column("study_uuid", sa.String(36), primary_key=True)]


def _claims() -> list[sa.Column[Any]]:
    return [
        sa.Column("token", sa.String(32), primary_key=True),
        sa.Column("study_uuid", sa.String(36), nullable=False, index=True),
        sa.Column("trial_number", sa.Integer),
        sa.Column("machine", sa.String(255), nullable=False, server_default=""),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("claimed_at", sa.DateTime, nullable=False),
    ]


def _preferences() -> list[sa.Column[Any]]:
    return [
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("answered_at", sa.DateTime, nullable=False),
        sa.Column("study_uuid", sa.String(36), nullable=False, index=True),
        sa.Column("photo_sha256", sa.String(64), nullable=False),
        sa.Column("first_trial", sa.Integer, nullable=False),
        sa.Column("second_trial", sa.Integer, nullable=False),
        sa.Column("left_trial", sa.Integer, nullable=False),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("judge_version", sa.String(64), nullable=False),
    ]


_TABLES = {
    "styletuner_photo_quality": _photo_quality,
    "styletuner_study_locks": _study_locks,
    "styletuner_claims": _claims,
    "styletuner_preferences": _preferences,
}


def _typed(name: str) -> list[sa.Column[Any]]:
    """Columns of a table as it was, with the types that its values are read by."""
    renamed = {"study_uuid": "study_name"}
    columns = [column for column in _TABLES[name]() if column.name != "machine"]
    return [sa.Column(renamed.get(column.name, column.name), column.type) for column in columns]


def _converted(row: Mapping[Any, Any], uuids: Mapping[str, str]) -> dict[str, Any]:
    # PostgreSQL counts on from its own last number, so that answers are numbered anew, in their order.
    kept = {key: value for key, value in row.items() if key not in {"study_name", "number"}}
    name = row["study_name"]
    return {"study_uuid": uuids.get(name) or str(uuid.uuid5(_NAMESPACE, name)), **kept}


def _uuids_by_name() -> dict[str, str]:
    """Give every study a UUID, and return them by the studies' names."""
    studies = sa.table("studies", sa.column("study_id"), sa.column("study_name"))
    attributes = sa.table(
        "study_user_attributes", sa.column("study_id"), sa.column("key"), sa.column("value_json", sa.Text)
    )
    connection = op.get_bind()
    held = sa.select(attributes.c.study_id, attributes.c.value_json).where(attributes.c.key == _STUDY_UUID)
    known = {study_id: json.loads(value) for study_id, value in connection.execute(held)}
    uuids = {}
    for study_id, name in connection.execute(sa.select(studies.c.study_id, studies.c.study_name)).all():
        if study_id not in known:
            known[study_id] = str(uuid.uuid4())
            values = {"study_id": study_id, "key": _STUDY_UUID, "value_json": json.dumps(known[study_id])}
            connection.execute(sa.insert(attributes).values(values))
        uuids[name] = known[study_id]
    return uuids
