"""The tables of styletuner 0.1.0, which name a study by its name; a database may have them without a version."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make those of them that are missing."""
    _make(
        "styletuner_photo_quality",
        sa.Column("study_name", sa.String(512), primary_key=True),
        sa.Column("trial_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rung", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("judge_version", sa.String(64), primary_key=True),
        sa.Column("photo_sha256", sa.String(64), primary_key=True),
        sa.Column("quality", sa.Double, nullable=False),
        sa.Column("content_preservation", sa.Double, nullable=False),
        sa.Column("style_match", sa.Double, nullable=False),
        sa.Column("artefact_factor", sa.Double, nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
    )
    _make("styletuner_study_locks", sa.Column("study_name", sa.String(512), primary_key=True))
    _make(
        "styletuner_claims",
        sa.Column("token", sa.String(32), primary_key=True),
        sa.Column("study_name", sa.String(512), nullable=False, index=True),
        sa.Column("trial_number", sa.Integer),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("claimed_at", sa.DateTime, nullable=False),
    )
    _make(
        "styletuner_preferences",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("answered_at", sa.DateTime, nullable=False),
        sa.Column("study_name", sa.String(512), nullable=False, index=True),
        sa.Column("photo_sha256", sa.String(64), nullable=False),
        sa.Column("first_trial", sa.Integer, nullable=False),
        sa.Column("second_trial", sa.Integer, nullable=False),
        sa.Column("left_trial", sa.Integer, nullable=False),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("judge_version", sa.String(64), nullable=False),
    )


def _make(name: str, *columns: sa.Column[Any]) -> None:
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *columns)
