"""One setting's style network, out of a scout and into a file of its own."""

from groundwork.errors import OutputError
from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.identity import digest
from tuner.installation.versions import versions
from tuner.scouting.scout import Scout
from tuner.scouting.scout_identity import scout_identity


def save_folded(scout: Scout, weights: LossWeights, *, files: NetworkFiles) -> None:
    """Write the plain style network of some loss weights, and beside it where it comes from.

    Args:
        scout: A trained scout.
        weights: Whose ratios lie in the ranges that it was trained for.
        files: Where it goes; what the same command wrote there before is replaced.

    Raises:
        SampledValuesError: A ratio lies outside the ranges.
        OutputError: It cannot be written.
    """
    (network,) = scout.fold([SampledValues.of_weights(weights)])
    trained = scout_identity(scout.config, scout.pictures)
    record = {
        "images": scout.images,
        "identity": digest({"scout": trained, "images": scout.images, "weights": weights.to_dict()}),
        "scout": scout.name,
        "pictures": dict(scout.pictures),
        "weights": weights.to_dict(),
        "configuration": scout.config.model_dump(mode="json"),
        "versions": versions(),
    }
    try:
        files.save(network, record)
    except OSError as error:
        raise OutputError(
            f"The network {files.network} cannot be written: {error.strerror or error}. Free some space or mend access."
        ) from error
