"""Studies of several styles, which differ in the style image alone: one after the other, in one process."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from models.errors import ImageError
from studies.records.summaries import StudySummary
from tuner.configuration.settings import StudyConfig
from tuner.error_messages import USER_ERRORS
from tuner.errors import ConfigError, ShortTimeError
from tuner.running.observer import StudyObserver
from tuner.running.preparation import with_demo_pictures
from tuner.running.request import StudyRequest, finished_trials
from tuner.running.run_study import StudyEstimate, StudyResult, estimate_study, run_study
from tuner.running.setup import default_study_name
from tuner.running.shared_work import SharedWork
from tuner.running.stopping import SECONDS_PER_MINUTE
from tuner.search.study_pictures import StudyPictures


@final
@dataclass(frozen=True, kw_only=True)
class StyleStudy:
    """The study of one of several styles.

    Attributes:
        request: The study.
        name: What it is, or will be, called.
        is_done: Whether it has its trials, so that it takes none of the time.
    """

    request: StudyRequest
    name: str
    is_done: bool

    @property
    def style(self) -> Path:
        """Its style image."""
        return self.request.config.style or Path()


@final
@dataclass(frozen=True, kw_only=True)
class StyleEnd:
    """How the study of one of several styles ended.

    Attributes:
        study: The study.
        result: What it gave; None where no time was left to begin it, or an error ended it.
        failure: Why it gave nothing; None where it gave something.
    """

    study: StyleStudy
    result: StudyResult | None = None
    failure: str | None = None


def plan_styles(
    request: StudyRequest, configs: Sequence[StudyConfig], *, say: Callable[[str], None], shared: SharedWork
) -> list[StyleStudy]:
    """Check all styles of a command before any study begins, and return their studies; changes nothing.

    A picture that is given twice, under whatever name, has one study. Each is called as it would be alone; a name that
    is given has the stem of the style image's file put behind.

    Args:
        request: What all have in common; its configuration is not looked at.
        configs: One a style; the same but for that.
        say: Told of pictures that are given twice.
        shared: Gets the photos, which are found once.

    Raises:
        ConfigError: Something is asked for that goes with one style only, a picture cannot be used, or two different
            ones would have studies of one name.
        PhotosError: There are too few photos.
        StudyError: A study of one of the names has another configuration or other pictures.
    """
    _require_one_way(request)
    planned: dict[str, StyleStudy] = {}
    for config, pictures in _open_all(configs, shared):
        if (first := planned.get(pictures.style_sha256)) is not None:
            is_same_file = config.style == first.style
            say(
                f"{config.style} is given twice: one study"
                if is_same_file
                else f"{config.style} is the same picture as {first.style}: one study for both"
            )
            continue
        own = replace(request, config=config, name=_name_of(request.name, config, planned.values()))
        num_finished = finished_trials(own, config, pictures) or 0
        is_done = own.ends_at_total and num_finished >= config.num_trials
        name = own.name or default_study_name(config, pictures)
        planned[pictures.style_sha256] = StyleStudy(request=own, name=name, is_done=is_done)
    return list(planned.values())


def run_styles(
    planned: Sequence[StyleStudy], *, observe: Callable[[int], StudyObserver], shared: SharedWork
) -> Iterator[StyleEnd]:
    """Run the studies one after the other, and give what came of each.

    Each begins with what those before it found best, and has its share of the time that is left: without any it is not
    begun. One that an error of ours ends leaves the others to be run.

    Args:
        planned: As `plan_styles` returns them.
        observe: Gives whom the study of a place among them tells what happens.
        shared: What they have in common.

    Raises:
        Exception: What `run_study` raises beside errors whose message is written for the user.
        KeyboardInterrupt: After the running trial has been given back; the same studies go on from there.
    """
    began = time.time()
    earlier: list[StudySummary] = []
    for place, study in enumerate(planned):
        num_left = sum(not later.is_done for later in planned[place:])
        request = _with_share(study.request, began=began, num_left=num_left)
        if request.config.search.stop.minutes == 0 and not study.is_done:
            yield StyleEnd(study=study, failure="no time was left, so that it was not begun")
            continue
        try:
            result = run_study(request, observer=observe(place), shared=shared, earlier=earlier)
        except USER_ERRORS as error:
            shared.release()  # which may have gone over to this style in part
            yield StyleEnd(study=study, failure=_in_words(error, num_left=num_left))
        else:
            earlier.append(result.summary)
            yield StyleEnd(study=study, result=result)


def estimate_styles(
    planned: Sequence[StyleStudy], *, say: Callable[[str], None], shared: SharedWork
) -> Iterator[tuple[StyleStudy, StudyEstimate]]:
    """Give what each study would cost, with its share of the time as if each took all of its own.

    Args:
        planned: As `plan_styles` returns them.
        say: Told in a few words what is being done.
        shared: What they have in common.

    Raises:
        ConfigError: As `estimate_study`.
        StudyError: As `estimate_study`.
    """
    num_left = sum(not study.is_done for study in planned)
    for study in shared_out(planned):
        try:
            found = estimate_study(study.request, say=say, shared=shared)
        except ShortTimeError as error:
            raise ShortTimeError(_in_words(error, num_left=num_left)) from error
        yield study, found


def shared_out(planned: Sequence[StyleStudy]) -> list[StyleStudy]:
    """Return the studies with the shares of the time that they would have, did each take all of its own."""
    num_left = sum(not study.is_done for study in planned)
    began = time.time()
    return [replace(study, request=_with_share(study.request, began=began, num_left=num_left)) for study in planned]


def _in_words(error: Exception, *, num_left: int) -> str:
    """Return an error's message; of a time too short, that it is a share."""
    if isinstance(error, ShortTimeError) and num_left > 1:
        return (
            f"{error}\nThese minutes are the share of one style: --time is for all, and has to be {num_left} times as "
            "long."
        )
    return str(error)


def _require_one_way(request: StudyRequest) -> None:
    refused = {
        "--new": request.new,
        "--widen": request.widen,
        "--scout-file": request.scout is not None,
    }
    for option, is_given in refused.items():
        if is_given:
            raise ConfigError(f"{option} is for the study of one style. Give one --style, or leave it out.")


def _open_all(configs: Sequence[StudyConfig], shared: SharedWork) -> list[tuple[StudyConfig, StudyPictures]]:
    opened, wrong = [], []
    for config in map(with_demo_pictures, configs):
        try:
            opened.append((config, shared.pictures(config)))
        except ImageError as error:
            wrong.append((config.style, error))
    if wrong:
        others = ", ".join(str(path) for path, _ in wrong[1:])
        more = f"\nNor can {others}." if others else ""
        raise ConfigError(
            f"Of {len(configs)} styles {len(wrong)} cannot be used, and none is begun. {wrong[0][1]}{more}"
        )
    return opened


def _name_of(given: str | None, config: StudyConfig, others: Iterable[StyleStudy]) -> str | None:
    if given is None or config.style is None:
        return given
    name = f"{given}-{config.style.stem}"
    for other in others:
        if other.request.name == name:
            raise ConfigError(
                f"{other.style} and {config.style} differ and would both be study {name!r}. Leave --name out, or "
                "rename one of the files."
            )
    return name


def _with_share(request: StudyRequest, *, began: float, num_left: int) -> StudyRequest:
    """Give a study its share of the minutes that are left for all."""
    search = request.config.search
    if search.stop.minutes is None:
        return request
    left = search.stop.minutes - (time.time() - began) / SECONDS_PER_MINUTE
    share = math.floor(100 * max(0.0, left) / max(1, num_left)) / 100
    stop = search.stop.model_copy(update={"minutes": share})
    config = request.config.model_copy(update={"search": search.model_copy(update={"stop": stop})})
    return replace(request, config=config)
