"""What share of a trial is our own doing: asking, claiming, reporting, pruning, pictures, the database. Not training.

    .venv/bin/python benchmarks/overhead.py
    .venv/bin/python benchmarks/overhead.py quick --style painting.jpg --photos photos/ --trials 1000 10000

Trials run through the worker and the trial's own code on a real SQLite file that holds many trials already; training,
painting and scoring are replaced by what they gave once, pictures of the preset's own size. Held against the seconds
that a whole trial takes by a few batches and a score, measured in the same run (as `--dry-run` does). What a study sets
up once, the judge of its rung photos, is measured apart and shared out over the preset's trials. A Markdown table.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
from many_trials import NAME, fill_study

from measures.quality import PhotoQuality, Quality, average_photos
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.installation.environment import load_networks

MEASURED_TRIALS = 12
GOOD = 0.95
"""Quality of the measured trials, above all that are made up: none is pruned."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", default="quick")
    parser.add_argument("--style", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--trials", type=int, nargs="+", default=(0, 1000, 10_000))
    parser.add_argument("--trial-seconds", type=float, help="of a whole trial, where that is known")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    load_networks()
    config, pictures = _open(arguments)
    trial_seconds = arguments.trial_seconds or _trial_seconds(config, pictures)
    stub, judge_seconds = _stub(config, pictures)
    shared = judge_seconds / config.num_trials
    print(
        f"A whole trial of `{arguments.preset}`: {trial_seconds:.1f} s. The judge of the rung photos: "
        f"{judge_seconds:.1f} s a study, {shared:.2f} s for each of {config.num_trials} trials.\n"
    )
    print("| trials in the file | first trial, s | a trial, s | with the judge's share | of a trial |")
    print("|---|---|---|---|---|")
    for num_trials in arguments.trials:
        first, usual = _measure(stub, num_trials)
        share = (usual + shared) / (trial_seconds + usual + shared)
        print(f"| {num_trials} | {first:.2f} | {usual:.2f} | {usual + shared:.2f} | {share:.1%} |", flush=True)


def _trial_seconds(config: Any, pictures: Any) -> float:
    from tuner.running.estimation import measure_pace

    pace = measure_pace(config, pictures, report=lambda _: None)
    return pace.cost(config, trains_start=False).trial_seconds


def _open(arguments: argparse.Namespace) -> tuple[Any, Any]:
    from models.pictures.demo_pictures import write_demo_pictures
    from models.pretrained.files import cache_folder
    from tuner.configuration.loading import load_config
    from tuner.search.study_pictures import open_pictures

    demo = write_demo_pictures(cache_folder() / "demo")
    overrides = {
        "style": str(arguments.style or demo.style),
        "photos": [str(arguments.photos or demo.photos)],
        "search": {"start": "noise"},
    }
    config = load_config(arguments.preset, overrides=overrides)
    return config, open_pictures(config)


def _stub(config: Any, pictures: Any) -> tuple[Any, float]:
    """What stands for a study's resources, and the seconds that its judge took to build."""
    from measures.loss_weights import TERMS
    from tuner.search.judged_set import judged_set

    def replaced(photos: Any) -> tuple[Any, float]:
        known = judged_set(config, pictures, photos)
        began = time.perf_counter()
        judge = known.judge
        seconds = time.perf_counter() - began
        score = _good(judge.score(list(known.photos)))
        stub = SimpleNamespace(score=lambda _: score)
        return _Judged(photos=known.photos, sha256s=known.sha256s, judge=stub), seconds

    replaced(pictures.split.rung)  # loads AlexNet, which is no judge's own
    rung, seconds = replaced(pictures.split.rung)
    calibration, _ = replaced(pictures.split.calibration)
    losses = dict.fromkeys(TERMS, 0.5)
    resources = SimpleNamespace(
        config=config,
        rung=rung,
        calibration=calibration,
        start=lambda *_, **__: None,
        train_and_paint=lambda *_, **__: (losses, rung.photos),
        paint=np.asarray,
    )
    return resources, seconds


class _Judged(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.photos)


def _good(quality: Quality) -> Quality:
    """The same raw measurements with high parts."""

    def good(photo: PhotoQuality) -> PhotoQuality:
        return replace(photo, quality=GOOD, content_preservation=GOOD, style_match=GOOD, artefact_factor=1.0)

    return average_photos([good(photo) for photo in quality.photos])


def _measure(resources: Any, num_trials: int) -> tuple[float, float]:
    """Return the seconds of a worker's first trial, which reads all others, and the median of later ones."""
    from tuner.running.stopping import Allowance
    from tuner.running.workers.worker import Worker
    from tuner.search.trial import TrialRunner
    from tuner.search.trial_observer import TrialObserver

    ended: list[float] = []
    observer = TrialObserver(on_start=lambda *_: None, on_batch=lambda _: None, on_rung=lambda _: None)
    with tempfile.TemporaryDirectory() as folder, StudyStorage.create(str(Path(folder) / "studies.db")) as storage:
        fill_study(storage, num_trials, search=resources.config.search, rungs=resources.config.rungs)
        study_uuid = uuid_of(storage.read_study(NAME))
        began = time.perf_counter()
        Worker(
            storage,
            study_uuid,
            allowance=lambda: Allowance(total=num_trials + MEASURED_TRIALS),
            runner=TrialRunner(storage, study_uuid, resources=resources, observer=observer),
            on_trial=lambda _: ended.append(time.perf_counter()),
        ).run()
    seconds = np.diff([began, *ended])
    return float(seconds[0]), float(median(seconds[1:]))


if __name__ == "__main__":
    main()
