"""Running a study in this process, with plain functions that are told what happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from studies.records.summaries import TrialSummary, summarise_trial
from studies.storage.addresses import DEFAULT_STORAGE
from styletuner.study import Study

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from measures.loss_weights import LossWeights
    from studies.records.final import FinalRun
    from tuner.running.standing import Standing
    from tuner.search import trial_observer


@final
@dataclass(frozen=True, kw_only=True)
class RungEvent:
    """A trial of this process was scored.

    Attributes:
        number: The trial's number.
        images_seen: Images it has trained on so far.
        quality: There, in [0, 1], higher is better.
    """

    number: int
    images_seen: int
    quality: float


def run_study(  # noqa: PLR0913 (a notebook names the few that it wants)
    config: str | Path,
    *,
    style: str | Path | None = None,
    photos: Sequence[str | Path] = (),
    storage: str | Path = DEFAULT_STORAGE,
    name: str | None = None,
    time: str | None = None,
    workers: int = 1,
    on_trial: Callable[[TrialSummary], None] | None = None,
    on_rung: Callable[[RungEvent], None] | None = None,
    say: Callable[[str], None] | None = None,
    **settings: Any,
) -> Study:
    """Start or resume a study, and return when it has its trials or is stopped; loads TensorFlow here.

    Args:
        config: A YAML file or a preset ("demo", "quick", "gpu").
        style: The style image, over the file's.
        photos: Folders, files or .zip archives of content photos, over the file's.
        storage: SQLite file or database URL.
        name: The study's name; made of preset, style image and a hash by default.
        time: Ends this run, such as "45m"; without `trials` with as many trials as it holds.
        workers: 1 runs the trials here; more run them in so many processes on this machine.
        on_trial: Told of each trial that has ended.
        on_rung: Told of each score of a trial that runs here.
        say: Told in a line what is being done.
        settings: Any setting of docs/configuration.md, with two underscores for a dot: `search__start="scout"`; and,
            shorter, `trials`, `finalists` and `seed`.

    Raises:
        ConfigError: The configuration cannot be used (from `tuner.errors`).
        StudyError: A study of this name has another configuration or other pictures.
        StorageError: The storage cannot be written.
        KeyboardInterrupt: After the running trial has been given back; the same call goes on. What a function that is
            told raises ends the run in the same way.
    """
    from tuner.command_line.durations import parse_minutes  # noqa: PLC0415
    from tuner.configuration.loading import load_config  # noqa: PLC0415  loads much that others need not
    from tuner.running.request import StudyRequest  # noqa: PLC0415
    from tuner.running.run_study import run_study as run  # noqa: PLC0415

    require_one_style(style)
    if time is not None:
        settings = {**settings, "search__stop__minutes": parse_minutes(time)}
    pictures = {"style": None if style is None else str(style), "photos": [str(photo) for photo in photos] or None}
    given = {name: value for name, value in pictures.items() if value is not None}
    overrides = _nested(settings)
    loaded = load_config(str(config), overrides={**given, **overrides})
    counts_trials = time is None or overrides.get("search", {}).get("trials") is not None
    request: StudyRequest = StudyRequest(
        config=loaded, storage=str(storage), name=name, workers=workers, counts_trials=counts_trials
    )
    functions = _Functions(on_trial=on_trial, on_rung=on_rung, say=say)
    try:
        result = run(request, observer=functions)
    except KeyboardInterrupt:
        if functions.error is not None:
            raise functions.error from None
        raise
    return Study(result.name, storage=str(storage))


def require_one_style(style: object) -> None:
    """Refuse several style images.

    Raises:
        ConfigError: There are several.
    """
    from tuner.errors import ConfigError  # noqa: PLC0415

    if style is not None and not isinstance(style, str | Path):
        raise ConfigError(
            f"`style` must be one picture. Received {style!r}. Call once for each: studies of the same photos share "
            "their crops and features; or take `styletuner study run`, which takes several."
        )


def _nested(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by section: `search__trials=16` is {"search": {"trials": 16}}."""
    values: dict[str, Any] = {}
    for name, value in settings.items():
        *sections, last = ("search", name) if name in {"trials", "finalists"} else name.split("__")
        place = values
        for section in sections:
            place[section] = dict(place.get(section) or {})
            place = place[section]
        place[last] = value
    return values


@final
class _Functions:
    """Tells functions; a `StudyObserver`."""

    def __init__(
        self,
        *,
        on_trial: Callable[[TrialSummary], None] | None,
        on_rung: Callable[[RungEvent], None] | None,
        say: Callable[[str], None] | None,
    ) -> None:
        self._on_trial = on_trial
        self._on_rung = on_rung
        self._say = say
        self.error: Exception | None = None

    def say(self, text: str) -> None:
        if self._say is not None:
            self._say(text)

    def on_rung(self, event: "trial_observer.RungEvent") -> None:
        if self._on_rung is None:
            return
        try:
            self._on_rung(RungEvent(number=event.number, images_seen=event.images_seen, quality=event.quality))
        except Exception as error:
            # Within a trial an exception would be the trial's own fault; an interrupt gives it back.
            self.error = error
            raise KeyboardInterrupt from error

    def on_trial(self, trial: "FrozenTrial") -> None:
        if self._on_trial is not None:
            self._on_trial(summarise_trial(trial))

    def on_study(self, name: str, place: str) -> None:
        """Nobody is told."""

    def on_standing(self, standing: "Standing") -> None:
        """Nobody is told."""

    def on_start(self, number: int, weights: "LossWeights") -> None:
        """Nobody is told."""

    def on_batch(self, num_images: int) -> None:
        """Nobody is told."""

    def on_running(self, numbers: Sequence[int]) -> None:
        """Nobody is told."""

    def on_final_run(self, run: "FinalRun", *, num_done: int, num_runs: int) -> None:
        """Nobody is told."""

    def close(self) -> None:
        """Nobody is told."""
