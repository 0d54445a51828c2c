"""Which trials are as good as the best, as far as a few photos can tell."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy

from measures.ties import MIN_PHOTOS, has_all, is_tie
from studies.storage.tables import PhotoQualityRow


def tied_with(
    engine: sqlalchemy.Engine,
    study_uuid: str,
    best: int,
    *,
    others: Collection[int],
    photos: Sequence[str],
    judge_version: str,
) -> tuple[int, ...]:
    """Find the trials that cannot be told from the best.

    Two trials tie if the mean difference of their quality, photo by photo, is at most its own standard error: see
    `measures.ties`.

    Args:
        engine: Database with the quality of each photo.
        study_uuid: The study's UUID.
        best: Number of the trial to compare with.
        others: Numbers of the trials that may tie with it.
        photos: Content hashes of the photos that rank trials; at least two, or nothing ties.
        judge_version: Of the scores to compare.

    Returns:
        Numbers of those of `others` that tie, in order; trials that lack the score of a photo do not.
    """
    if len(photos) < MIN_PHOTOS:
        return ()
    qualities = last_qualities(engine, study_uuid, photos, judge_version=judge_version)
    if not has_all(qualities.get(best, {}), photos):
        return ()
    candidates = sorted(number for number in others if number != best and has_all(qualities.get(number, {}), photos))
    return tuple(number for number in candidates if is_tie(qualities[best], qualities[number], photos))


def last_qualities(
    engine: sqlalchemy.Engine, study_uuid: str, photos: Sequence[str], *, judge_version: str
) -> Mapping[int, Mapping[str, float]]:
    """Read the quality by trial and photo, at the last rung of each trial at which the photo was scored.

    Args:
        engine: Database with the quality of each photo, or without any such table yet.
        study_uuid: The study's UUID.
        photos: Content hashes of the photos that are wanted.
        judge_version: Of the scores.
    """
    # Bare columns of the last rungs alone: whole rows of every rung take ten times as long.
    if not sqlalchemy.inspect(engine).has_table(PhotoQualityRow.__tablename__):
        return {}
    row = PhotoQualityRow
    wanted = (row.study_uuid == study_uuid, row.judge_version == judge_version, row.photo_sha256.in_(photos))
    scored = (row.trial_number, row.photo_sha256)
    last = sqlalchemy.select(*scored, sqlalchemy.func.max(row.rung).label("rung")).where(*wanted).group_by(*scored)
    found = last.subquery()
    same = sqlalchemy.and_(
        row.trial_number == found.c.trial_number,
        row.photo_sha256 == found.c.photo_sha256,
        row.rung == found.c.rung,
    )
    query = sqlalchemy.select(*scored, row.quality).join(found, same).where(*wanted)
    qualities: dict[int, dict[str, float]] = defaultdict(dict)
    with engine.connect() as connection:
        for trial, photo, quality in connection.execute(query):
            qualities[trial][photo] = quality
    return qualities
