"""The one network that all trials of a study start from: trained by its first worker, kept for the others."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from optuna.samplers import RandomSampler

from groundwork.file_hashes import sha256_of
from groundwork.file_locks import held_alone
from measures.sampled_values import SampledValues
from objectives.errors import DivergedError
from studies.records import attributes
from studies.records.exported_config import STARTER_FIELD
from studies.records.study_record import StudyRecord, kept_file_name
from studies.records.study_starter import StudyStarter
from studies.storage.database_errors import storage_errors
from tuner.checkpointed.saved_networks import read_network
from tuner.checkpointed.training_watch import check_finite
from tuner.running.kept_starter import kept_starter
from tuner.running.study_run import StudyRun
from tuner.search.crop_tables import CropTables
from tuner.search.resources import StudyResources, build_network

STARTER_VALUES: Final = SampledValues(style_to_content=1.0, tv_to_content=0.1)
"""Equal weights of content and style, whatever is searched: what is between preserving all and painting boldly."""


def starter_weights(
    run: StudyRun, resources: StudyResources, *, say: Callable[[str], None], on_batch: Callable[[int], None]
) -> Sequence[NDArray[np.float32]]:
    """Return the weights that all trials of a study start from; the starter is trained unless the study has it.

    It sees what a whole trial sees, from noise. Processes of one machine wait for each other; of several machines
    that begin at once each trains it, and the first that has ended is kept.

    Args:
        run: Of a study whose trials start from a starter.
        resources: Of the study.
        say: Told in a few words what is being done.
        on_batch: Called with the images of each batch of its training.

    Raises:
        DivergedError: The starter's loss is not finite any more.
        StudyError: The study was deleted, or its starter's file is gone or damaged.
        StorageError: The storage cannot be written.
    """
    if _record(run).starter is None:
        folder = CropTables(run.config, run.pictures).folder
        folder.mkdir(parents=True, exist_ok=True)

        def on_wait() -> None:
            say("waiting for another process of this machine, which trains the study's starter")

        with held_alone(folder / f"starter-{run.uuid}.lock", on_wait=on_wait):
            if _record(run).starter is None:
                images = run.config.rungs[-1]
                say(
                    f"training the starter that all trials start from: {images:,} images at equal weights, the price "
                    f"of one of {run.config.search.trials} trials"
                )
                _train(resources, on_batch=on_batch)
                _keep(run, resources, images=images)
    return _kept_weights(run)


def _kept_weights(run: StudyRun) -> list[NDArray[np.float32]]:
    with tempfile.TemporaryDirectory(prefix="styletuner-") as folder:
        # Keras goes by the suffix, and artifacts have none.
        path = Path(folder) / kept_file_name(attributes.STARTER_NETWORK)
        path.write_bytes(kept_starter(run.storage, run.name).read_bytes())
        weights: list[NDArray[np.float32]] = read_network(path).get_weights()
    return weights


def _record(run: StudyRun) -> StudyRecord:
    return StudyRecord.parse(run.storage.read_by_uuid(run.uuid).user_attrs)


def _train(resources: StudyResources, *, on_batch: Callable[[int], None]) -> None:
    resources.start(STARTER_VALUES)
    try:
        resources.trainer.train(resources.batches(0, resources.config.rungs[-1]), on_batch=on_batch)
        check_finite(resources.trainer)
    except DivergedError as error:
        raise DivergedError(
            f"The starter, which has equal weights, {error}.\nLower `training.learning_rate` and run the study again."
        ) from error


def _keep(run: StudyRun, resources: StudyResources, *, images: int) -> None:
    """Give the study its starter, unless it has got one meanwhile; what a killed process left of one is replaced."""
    network = build_network(run.config, precision="float32")
    with resources.trainer.averaged() as averaged:
        network.set_weights(averaged.get_weights())
    key, storage = attributes.STARTER_NETWORK, run.storage
    with tempfile.TemporaryDirectory(prefix="styletuner-") as folder:
        path = Path(folder) / kept_file_name(key)
        network.save(path)
        content, sha256 = path.read_bytes(), sha256_of(path)
    with storage.exclusive(), storage_errors(storage.url):
        study = storage.load_by_uuid(run.uuid, sampler=RandomSampler())
        record = StudyRecord.parse(study.user_attrs)
        if record.starter is not None:
            return
        if record.starter_network is None:
            study.set_user_attr(key, storage.artifacts.upload_bytes(content, study, file_name=kept_file_name(key)))
        else:
            storage.artifacts.write(record.starter_network, content)
        study.set_user_attr(attributes.IDENTITY, {**record.identity, STARTER_FIELD: sha256})
        # Last: it says that all the rest is there.
        study.set_user_attr(attributes.STARTER, StudyStarter(images=images, sha256=sha256).to_attribute())
