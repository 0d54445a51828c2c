"""A study with pictures, as notes tell of it, without a network."""

import io

import numpy as np
import optuna
import PIL.Image

from studies.records import attributes
from studies.storage.study_identity import create_study
from studies.storage.study_storage import StudyStorage

NAME = "demo-waves"


def png(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.full((120, 200, 3), colour, dtype=np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def make_noted_study(storage: StudyStorage, *, num_trials: int = 3) -> optuna.Study:
    """Trial 0 finishes with 0.25, trial 1 is pruned at 0.1, trial 2 finishes with 0.5, later ones with ever less."""
    made = create_study(storage.optuna, NAME)
    made.set_user_attr(attributes.CONFIGURATION, {"seed": 7, "network": {"width": 16}})
    made.set_user_attr(
        attributes.STYLE_IMAGE, storage.artifacts.upload_bytes(png((250, 10, 10)), made, file_name="style.png")
    )

    def objective(trial: optuna.Trial) -> float:
        trial.set_user_attr(attributes.WEIGHTS, {"content": 0.7, "style": 0.2875, "total_variation": 0.0125})
        trial.set_user_attr(
            attributes.PARTS,
            {"content_preservation": 0.61, "style_match": 0.42, "artefact_factor": 0.93, "terms": {"border": None}},
        )
        trial.set_user_attr(attributes.IMAGES_SEEN, 640)
        trial.set_user_attr(attributes.SECONDS, 12.3)
        sheet = storage.artifacts.upload_bytes(png((10, 10, 250)), trial, file_name="sheet.png")
        trial.set_user_attr(attributes.PICTURES, {"sheet": sheet})
        if trial.number == 1:
            trial.report(0.1, 320)
            trial.set_user_attr(attributes.REASON, "pruned: below the median")
            raise optuna.TrialPruned
        quality = 0.25 + trial.number / 8 if trial.number < 3 else 0.2 / trial.number
        trial.report(quality, 640)
        return quality

    made.optimize(objective, n_trials=num_trials)
    return made
