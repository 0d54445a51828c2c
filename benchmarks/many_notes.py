"""How long the dashboard takes for studies of many trials: notes, the study page's data, the contact sheet's choice.

    .venv/bin/python benchmarks/many_notes.py [--trials 100 1000 3000]

Makes studies of made-up trials in a temporary folder and prints a Markdown table in seconds. `notes` is the writing of
all notes before the first start, `again` that of the next start, when nothing changed; `summary` is what `study show`
reads; `page` is the first answer of the page's data (/api/studies/ID), and `page again` the second one.
"""

import argparse
import json
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import create_trial

from dashboards.note_saving import save_notes
from dashboards.server import bind_dashboard
from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality

PHOTOS = ("a", "b", "c", "d")
RUNGS = (160, 320, 640)
NAME = "many"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=(100, 1000, 3000))
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| trials | notes | again | summary | page | page again |\n| --- | --- | --- | --- | --- | --- |")
    for num_trials in arguments.trials:
        with tempfile.TemporaryDirectory() as folder:
            address = str(Path(folder) / "studies.db")
            _fill(address, num_trials)
            seconds = " | ".join(f"{spent:.2f}" for spent in _measure(address))
        print(f"| {num_trials} | {seconds} |", flush=True)


def _measure(address: str) -> list[float]:
    with StudyStorage.open(address) as storage:
        spent = [_seconds(lambda: save_notes(storage)) for _ in range(2)]
    with StudyStorage.open(address) as storage:
        spent.append(_seconds(lambda: summarise(storage, NAME)))
        with bind_dashboard(storage, port=0) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            study_id = json.loads(_fetch(f"{server.url}api/studies"))["study_summaries"][0]["study_id"]
            spent += [_seconds(lambda: _fetch(f"{server.url}api/studies/{study_id}")) for _ in range(2)]
            server.shutdown()
            thread.join()
    return spent


def _fill(address: str, num_trials: int) -> None:
    """Make a study of complete and pruned trials like ours: every fourth is complete."""
    generator = np.random.default_rng(0)
    with StudyStorage.create(address) as storage:
        study = create_study(storage.optuna, NAME)
        study.set_user_attr(attributes.CONFIGURATION, {"training": {"images": RUNGS[-1]}})
        study.set_user_attr(attributes.JUDGE_VERSION, "3")
        study.set_user_attr(attributes.PHOTOS, {"rung": list(PHOTOS)})
        qualities = generator.uniform(0.2, 0.7, num_trials)
        trials = [_trial(float(quality), is_complete=number % 4 == 0) for number, quality in enumerate(qualities)]
        study.add_trials(trials)
        records = [
            _record(uuid_of(study), number, rung, photo, float(np.clip(quality + generator.normal(0, 0.1), 0, 1)))
            for number, quality in enumerate(qualities)
            for rung in (RUNGS if number % 4 == 0 else RUNGS[:1])
            for photo in PHOTOS
        ]
        save_photo_quality(storage.engine, records)


def _trial(quality: float, *, is_complete: bool) -> optuna.trial.FrozenTrial:
    parts = {"content_preservation": quality, "style_match": quality, "artefact_factor": 0.9, "terms": {"lpips": 0.4}}
    known: dict[str, Any] = {
        attributes.WEIGHTS: {"content": 0.7, "style": 0.28, "total_variation": 0.02},
        attributes.PARTS: parts,
        attributes.LOWERED_BY: [{"name": "content", "text": "over-stylised: content 0.21", "cost": 0.2}],
        attributes.IMAGES_SEEN: RUNGS[-1] if is_complete else RUNGS[0],
        attributes.SECONDS: 12.5,
    }
    return create_trial(
        state=optuna.trial.TrialState.COMPLETE if is_complete else optuna.trial.TrialState.PRUNED,
        value=quality if is_complete else None,
        params={"style_to_content": 0.5},
        distributions={"style_to_content": optuna.distributions.FloatDistribution(0.01, 10, log=True)},
        user_attrs=known,
        intermediate_values=dict.fromkeys(RUNGS if is_complete else RUNGS[:1], quality),
    )


def _record(study_uuid: str, number: int, rung: int, photo: str, quality: float) -> PhotoQualityRecord:
    return PhotoQualityRecord(
        study_uuid=study_uuid,
        trial_number=number,
        rung=rung,
        judge_version="3",
        photo_sha256=photo,
        quality=quality,
        content_preservation=quality,
        style_match=quality,
        artefact_factor=0.9,
        terms={"lpips": 0.4},
    )


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=600) as response:
        content: bytes = response.read()
    return content


def _seconds(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
