"""Our own tables beside Optuna's: quality per photo, who runs what, what people preferred.

Trials are named by their study's UUID and their number.
"""

import datetime
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, final

import sqlalchemy
from sqlalchemy import orm

from studies.storage.study_identity import UUID_LENGTH

MAX_RATER_LENGTH: Final = 255
"""Characters of a rater's name: more than a user name or an address has (POSIX: 255)."""


class Base(orm.DeclarativeBase):
    """Root of every table of ours, each of which names its study; Optuna's tables have another root."""


@final
class PhotoQualityRow(Base):
    """Quality of one photo's output at one rung of a trial."""

    __tablename__ = "styletuner_photo_quality"

    study_uuid: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(UUID_LENGTH), primary_key=True)
    trial_number: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    rung: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    judge_version: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(64), primary_key=True)
    photo_sha256: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(64), primary_key=True)
    quality: orm.Mapped[float]
    content_preservation: orm.Mapped[float]
    style_match: orm.Mapped[float]
    artefact_factor: orm.Mapped[float]
    terms: orm.Mapped[dict[str, float | None]] = orm.mapped_column(sqlalchemy.JSON)


@final
class StudyLockRow(Base):
    """One row a study, locked while a trial is claimed."""

    __tablename__ = "styletuner_study_locks"

    study_uuid: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(UUID_LENGTH), primary_key=True)


@final
class ClaimRow(Base):
    """A worker's right to run one trial; `trial_number` is null until the trial exists."""

    __tablename__ = "styletuner_claims"

    token: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(32), primary_key=True)
    study_uuid: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(UUID_LENGTH), index=True)
    trial_number: orm.Mapped[int | None]
    machine: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(255), server_default="")
    host: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(255))
    pid: orm.Mapped[int]
    started: orm.Mapped[float]
    claimed_at: orm.Mapped[datetime.datetime]


@final
class PreferenceRow(Base):
    """One answer of a person, given between two trials' outputs of the same calibration photo."""

    __tablename__ = "styletuner_preferences"

    number: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    who: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(MAX_RATER_LENGTH))
    answered_at: orm.Mapped[datetime.datetime]
    study_uuid: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(UUID_LENGTH), index=True)
    photo_sha256: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(64))
    first_trial: orm.Mapped[int]
    second_trial: orm.Mapped[int]
    left_trial: orm.Mapped[int]
    answer: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(16))
    judge_version: orm.Mapped[str] = orm.mapped_column(sqlalchemy.String(64))


@final
@dataclass(frozen=True, kw_only=True)
class PhotoQualityRecord:
    """Quality of one photo's output, as kept in the database; every quality in [0, 1], higher is better.

    Attributes:
        study_uuid: The study's UUID.
        trial_number: Number of the trial in it.
        rung: Where in the trial it was scored, in images seen.
        judge_version: Version of the judge; scores of different versions are never ranked together.
        photo_sha256: Content hash of the photo.
        quality: The combined quality.
        content_preservation: Its first part.
        style_match: Its second part.
        artefact_factor: Its third part, 1 without artefacts.
        terms: Raw terms by name; None where a term needs what this output does not have, or is not finite.
    """

    study_uuid: str
    trial_number: int
    rung: int
    judge_version: str
    photo_sha256: str
    quality: float
    content_preservation: float
    style_match: float
    artefact_factor: float
    terms: Mapping[str, float | None] = field(default_factory=dict)


def save_photo_quality(engine: sqlalchemy.Engine, records: Iterable[PhotoQualityRecord]) -> None:
    """Keep records in one transaction; one that is there already is replaced.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be written; nothing is kept then.
    """
    with orm.Session(engine) as session, session.begin():
        for record in records:
            session.merge(_row_of(record))


def load_photo_quality(
    engine: sqlalchemy.Engine,
    study_uuid: str,
    *,
    trial_number: int | None = None,
    rung: int | None = None,
    judge_version: str | None = None,
) -> list[PhotoQualityRecord]:
    """Records of a study by trial, rung, judge version and photo, in that order; each argument given narrows them."""
    row = PhotoQualityRow
    query = sqlalchemy.select(row).where(row.study_uuid == study_uuid)
    if trial_number is not None:
        query = query.where(row.trial_number == trial_number)
    if rung is not None:
        query = query.where(row.rung == rung)
    if judge_version is not None:
        query = query.where(row.judge_version == judge_version)
    query = query.order_by(row.trial_number, row.rung, row.judge_version, row.photo_sha256)
    with orm.Session(engine) as session:
        return [_record_of(found) for found in session.scalars(query)]


def delete_study_records(engine: sqlalchemy.Engine, study_uuid: str) -> None:
    """Delete everything our tables hold about a study."""
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            connection.execute(sqlalchemy.delete(table).where(table.c.study_uuid == study_uuid))


def _row_of(record: PhotoQualityRecord) -> PhotoQualityRow:
    return PhotoQualityRow(
        study_uuid=record.study_uuid,
        trial_number=record.trial_number,
        rung=record.rung,
        judge_version=record.judge_version,
        photo_sha256=record.photo_sha256,
        quality=float(record.quality),
        content_preservation=float(record.content_preservation),
        style_match=float(record.style_match),
        artefact_factor=float(record.artefact_factor),
        terms={name: _finite_or_none(value) for name, value in record.terms.items()},
    )


def _record_of(row: PhotoQualityRow) -> PhotoQualityRecord:
    return PhotoQualityRecord(
        study_uuid=row.study_uuid,
        trial_number=row.trial_number,
        rung=row.rung,
        judge_version=row.judge_version,
        photo_sha256=row.photo_sha256,
        quality=row.quality,
        content_preservation=row.content_preservation,
        style_match=row.style_match,
        artefact_factor=row.artefact_factor,
        terms=dict(row.terms),
    )


def _finite_or_none(value: float | None) -> float | None:
    # PostgreSQL's JSON has no NaN.
    return float(value) if value is not None and math.isfinite(value) else None
