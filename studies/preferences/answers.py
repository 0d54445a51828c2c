"""What people preferred: one row an answer, given between two trials' outputs of the same calibration photo."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, final

import sqlalchemy
from sqlalchemy import orm

from studies.errors import CalibrationError
from studies.storage.tables import MAX_RATER_LENGTH, PreferenceRow

FIRST: Final = "first"
SECOND: Final = "second"
TIE: Final = "tie"
ANSWERS: Final = (FIRST, SECOND, TIE)

Occasion: TypeAlias = tuple[str, datetime.datetime, str, int, int]
"""Who answered when about which photo of which two trials."""

EVERYONE: Final = "everyone"
"""Stands for all raters together where a rater is named, and so is nobody's name."""


@final
@dataclass(frozen=True, kw_only=True)
class Preference:
    """One answer of a person who saw two outputs of one photo side by side.

    Attributes:
        who: The rater's name.
        answered_at: When, in UTC.
        study_uuid: UUID of both trials' study.
        photo_sha256: Content hash of the calibration photo.
        first_trial: Number of the earlier trial.
        second_trial: Number of the later trial.
        left_trial: Which of the two was shown on the left, as A.
        answer: "first" or "second" for the trial preferred, or "tie".
        judge_version: Version of the judge whose scores the study had.

    Raises:
        CalibrationError: The answer or a trial is none of those allowed, or the time has no zone.
    """

    who: str
    answered_at: datetime.datetime
    study_uuid: str
    photo_sha256: str
    first_trial: int
    second_trial: int
    left_trial: int
    answer: str
    judge_version: str

    def __post_init__(self) -> None:
        if self.answer not in ANSWERS:
            raise CalibrationError(f"`answer` must be one of {', '.join(ANSWERS)}. Received {self.answer!r}.")
        if not self.first_trial < self.second_trial:
            raise CalibrationError(
                f"`first_trial` must be below `second_trial`. Received {self.first_trial} and {self.second_trial}."
            )
        if self.left_trial not in {self.first_trial, self.second_trial}:
            raise CalibrationError(
                f"`left_trial` must be {self.first_trial} or {self.second_trial}. Received {self.left_trial}."
            )
        if self.answered_at.tzinfo is None:
            raise CalibrationError(f"`answered_at` must have a time zone. Received {self.answered_at}. Pass UTC.")

    @property
    def occasion(self) -> Occasion:
        """What is the same in an answer and in its copy in a study that was re-scored."""
        return (self.who, self.answered_at, self.photo_sha256, self.first_trial, self.second_trial)


def check_rater(name: str) -> str:
    """Return a rater's name if it can be one.

    Raises:
        CalibrationError: It is empty, too long, does not print, or stands for all raters.
    """
    if not name.strip() or len(name) > MAX_RATER_LENGTH or not name.isprintable():
        raise CalibrationError(
            f"`rater` must be 1 to {MAX_RATER_LENGTH} printable characters. Received {name[:40]!r}. Choose a name."
        )
    if name == EVERYONE:
        raise CalibrationError(f"`rater` must be one person. Received {EVERYONE!r}, which means all of them.")
    return name


def save_preferences(engine: sqlalchemy.Engine, preferences: Iterable[Preference]) -> None:
    """Add answers in one transaction; each stays beside earlier answers to the same pair.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be written; nothing is kept then.
    """
    with orm.Session(engine) as session, session.begin():
        session.add_all([_row_of(preference) for preference in preferences])


def load_preferences(
    engine: sqlalchemy.Engine, *, study_uuid: str | None = None, who: str | None = None
) -> list[Preference]:
    """Answers in the order in which they were given, of one study and one rater where these are named.

    A database of before there were answers has none.
    """
    row = PreferenceRow
    if not sqlalchemy.inspect(engine).has_table(row.__tablename__):
        return []
    query = sqlalchemy.select(row).order_by(row.number)
    if study_uuid is not None:
        query = query.where(row.study_uuid == study_uuid)
    if who is not None:
        query = query.where(row.who == who)
    with orm.Session(engine) as session:
        return [_preference_of(found) for found in session.scalars(query)]


def carry_over_preferences(engine: sqlalchemy.Engine, source_uuid: str, target_uuid: str, *, judge_version: str) -> int:
    """Give a study the answers about another one whose trials it has, number by number, with the same pictures.

    People compared pictures, not scores, so their answers hold whatever judge scores these. Answers that were carried
    over before stay as they are; do not call it in two processes at once.

    Args:
        engine: Of the database that holds both.
        source_uuid: UUID of the study that people were asked about.
        target_uuid: UUID of the study that gets their answers.
        judge_version: Of the judge that scored the latter.

    Returns:
        How many answers were carried over now.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be written; nothing is carried over then.
    """
    known = {preference.occasion for preference in load_preferences(engine, study_uuid=target_uuid)}
    missing = [
        replace(preference, study_uuid=target_uuid, judge_version=judge_version)
        for preference in load_preferences(engine, study_uuid=source_uuid)
        if preference.occasion not in known
    ]
    save_preferences(engine, missing)
    return len(missing)


def _row_of(preference: Preference) -> PreferenceRow:
    return PreferenceRow(
        who=preference.who,
        # Like Optuna's, our times are kept as UTC without saying so: SQLite has no zones.
        answered_at=preference.answered_at.astimezone(datetime.UTC).replace(tzinfo=None),
        study_uuid=preference.study_uuid,
        photo_sha256=preference.photo_sha256,
        first_trial=preference.first_trial,
        second_trial=preference.second_trial,
        left_trial=preference.left_trial,
        answer=preference.answer,
        judge_version=preference.judge_version,
    )


def _preference_of(row: PreferenceRow) -> Preference:
    return Preference(
        who=row.who,
        answered_at=row.answered_at.replace(tzinfo=datetime.UTC),
        study_uuid=row.study_uuid,
        photo_sha256=row.photo_sha256,
        first_trial=row.first_trial,
        second_trial=row.second_trial,
        left_trial=row.left_trial,
        answer=row.answer,
        judge_version=row.judge_version,
    )
