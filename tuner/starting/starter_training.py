"""Training a starter, in whole or from where an interrupted training left it."""

from collections.abc import Callable, Mapping
from typing import Final

from measures.sampled_values import SampledValues
from objectives.errors import DivergedError
from tuner.checkpointed.checkpointed_run import CheckpointedRun, RunLength, find_checkpoint
from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.identity import digest, training_values
from tuner.configuration.settings import StudyConfig
from tuner.installation.versions import versions
from tuner.search.resources import StudyResources, build_network
from tuner.search.study_pictures import StudyPictures

STARTER_VALUES: Final = SampledValues(style_to_content=1.0, tv_to_content=0.1)
"""Equal weights of content and style, whatever is searched: between keeping the photo and painting boldly."""

COMMAND: Final = "study run"
"""What writes its files."""

_NUM_CHECKPOINTS: Final = 4
"""As many as the rungs of a trial by default: an interrupt loses nothing, a kill a quarter at most."""


def starter_identity(config: StudyConfig, pictures: Mapping[str, str]) -> str:
    """Return what tells a starter from others.

    Args:
        config: Of a study.
        pictures: Hashes of the study's pictures, as `StudyPictures.identity` gives them.
    """
    return digest({"starter": STARTER_VALUES.to_dict(), **training_values(config), **pictures})


def train_starter(
    config: StudyConfig,
    pictures: StudyPictures,
    *,
    files: NetworkFiles,
    load: Callable[[], StudyResources],
    report: Callable[[str], None],
) -> None:
    """Train the starter of a study as one of its trials would be, from noise, resuming from its checkpoint.

    A starter that is trained already is left as it is.

    Args:
        config: The study's configuration.
        pictures: The study's pictures.
        files: Where it goes.
        load: Gives the study's resources, which a starter that is trained already does not need.
        report: Told in a few words what is being done.

    Raises:
        ConfigError: There is no room for the crops, or the checkpoint is of another training.
        CheckpointError: The checkpoint cannot be read.
        OutputError: It cannot be written; says what is kept.
        DivergedError: The loss is not finite any more.
        KeyboardInterrupt: After a checkpoint has been written, if training had begun.
    """
    identity, images = starter_identity(config, pictures.identity()), config.rungs[-1]
    if files.finished(identity=identity, images=images) is not None:
        report("The starter is trained already, by a study of the same crops.")
        return
    checkpoint = find_checkpoint(files, identity=identity, images=images)
    resources = load()
    resources.start(STARTER_VALUES)
    length = RunLength.in_whole_batches(
        images=images, batch_size=config.training.batch_size, checkpoint_every=max(1, images // _NUM_CHECKPOINTS)
    )
    run = CheckpointedRun(resources.trainer, files=files, identity=identity, length=length, report=report)
    if checkpoint is not None:
        run.go_on_from(checkpoint)
    try:
        run.train(resources.batches)
    except DivergedError as error:
        raise DivergedError(
            f"Training the starter {error}.\nLower `training.learning_rate`, and give the study another --name."
        ) from error
    run.finish(lambda: _save(config, resources, files=files, identity=identity, images=run.seen))


def _save(config: StudyConfig, resources: StudyResources, *, files: NetworkFiles, identity: str, images: int) -> None:
    network = build_network(config, precision="float32")
    with resources.trainer.averaged() as averaged:
        network.set_weights(averaged.get_weights())
    files.save(network, {"images": images, "identity": identity, "versions": versions()})
