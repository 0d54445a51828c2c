"""Training a scout, in whole or from where an interrupted training left it."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from tuner.checkpointed.checkpointed_run import CheckpointedRun, RunLength, find_checkpoint
from tuner.checkpointed.network_files import NetworkFiles
from tuner.checkpointed.training_watch import divergence_explained
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.installation.versions import versions
from tuner.scouting.scout_identity import scout_identity
from tuner.scouting.scout_network import build_scout, scout_batches, training_config
from tuner.search.resources import StudyResources
from tuner.search.study_pictures import StudyPictures

WHAT_TO_LOWER: Final = "`scout.learning_rate` or the upper end of `search.style_to_content`"
"""Where its training diverges."""


def scout_length(config: StudyConfig) -> RunLength:
    """Return how long the scout of a study is trained."""
    scout = config.scout
    return RunLength.in_whole_batches(
        images=scout.images, batch_size=scout.batch_size, checkpoint_every=scout.checkpoint_every
    )


def train_scout(
    config: StudyConfig, pictures: StudyPictures, *, files: NetworkFiles, report: Callable[[str], None]
) -> None:
    """Train the scout of a study, resuming from its checkpoint if there is one.

    It sees the study's crops, through the study's loss network, each with loss weights of its own. A scout that is
    trained already is left as it is.

    Args:
        config: The study's configuration.
        pictures: The study's pictures.
        files: Where it goes.
        report: Told in a few words what is being done.

    Raises:
        ConfigError: The study's networks have no instance norm; the checkpoint is of another training or further on
            than asked for.
        CheckpointError: The checkpoint cannot be read.
        OutputError: The output is another scout, or cannot be written; says what is kept.
        DivergedError: The loss is not finite any more.
        KeyboardInterrupt: After a checkpoint has been written, if training had begun.
    """
    if config.network.norm != "instance":
        raise ConfigError(
            f"`network.norm` must be instance for a scout. Received {config.network.norm}. A batch norm mixes what "
            "different weights make of their photos."
        )
    identity, length = scout_identity(config, pictures.identity()), scout_length(config)
    if files.finished(identity=identity, images=length.images) is not None:
        report(f"{files.network} is trained already, by this very training.")
        return
    checkpoint = find_checkpoint(files, identity=identity, images=length.images)
    resources = StudyResources(training_config(config), pictures, report=report, build=build_scout)
    resources.start(None)
    run = CheckpointedRun(resources.trainer, files=files, identity=identity, length=length, report=report)
    if checkpoint is not None:
        run.go_on_from(checkpoint)
    with divergence_explained(files.checkpoint, lower=WHAT_TO_LOWER):
        run.train(partial(scout_batches, resources))
    run.finish(lambda: _save(config, pictures, resources, files=files, identity=identity, images=run.seen))


def _save(
    config: StudyConfig,
    pictures: StudyPictures,
    resources: StudyResources,
    *,
    files: NetworkFiles,
    identity: str,
    images: int,
) -> None:
    network = build_scout(config, precision="float32")
    with resources.trainer.averaged() as averaged:
        network.set_weights(averaged.get_weights())
    # Absolute: it may be asked from another folder.
    found = config.model_copy(
        update={"style": pictures.style_path.resolve(), "photos": tuple(path.resolve() for path in config.photos)}
    )
    record: dict[str, Any] = {
        "images": images,
        "identity": identity,
        "pictures": pictures.identity(),
        "references": resources.scale.references.to_dict(),
        "configuration": found.model_dump(mode="json"),
        "versions": versions(),
    }
    files.save(network, record)
