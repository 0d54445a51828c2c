"""What is said of a conversion: how near both losses are, and why one is only an approximation."""

from measures.gradient_matching import NEAR, NO_MATCH, MatchedWeights, Nearness
from measures.loss_weights import TERM_LABELS
from measures.published_trainers import PublishedTrainer
from measures.sampled_values import SampledValues
from tuner.configuration.field_types import holds
from tuner.configuration.search_sections import SearchSection
from tuner.converting.family_words import export_in_words
from tuner.search.space import ratio_ranges


def why_approximate(trainer: PublishedTrainer, matched: MatchedWeights) -> list[str]:
    """Return the reasons for which converted weights are an approximation, one phrase each; none where they are not."""
    bound = {Nearness.APPROXIMATE: NEAR, Nearness.NO_MATCH: NO_MATCH}.get(matched.nearness)
    reasons = [f"the losses' gradients differ (cosine below {bound:g})"] if bound is not None else []
    reasons += [f"there is no {TERM_LABELS[term]} loss to give its weight to" for term in matched.left_out]
    return [*reasons, trainer.stand_in] if trainer.stand_in else reasons


def beyond_in_words(values: SampledValues, search: SearchSection) -> list[str]:
    """Return a line for each ratio that lies outside of the range in which a configuration searches it."""
    known, ranges = values.to_dict(), ratio_ranges(search)
    return [
        f"{name.replace('_to_', ' : ')} {known[name]:.3g} lies outside of what is searched, {low:g} to {high:g}."
        for name, (low, high) in ranges.items()
        if not holds((low, high), known[name])
    ]


def told_in_words(trainer: PublishedTrainer, *, tilt: float, learning_rate: float | None) -> list[str]:
    """Return a line for a tilt, and for a learning rate, of a trial that a trainer shall repeat: what it is told of it.

    Args:
        trainer: Whose command line it is.
        tilt: Of the trial's style layers; 0 where they are not tilted.
        learning_rate: Of the trial; None where it was not searched.
    """
    lines = []
    if tilt and trainer.layers_option:
        lines.append(f"This trial's tilt of {tilt:+.2f} is in the weights of its style layers.")
    elif tilt:
        lines.append(
            f"This trial's tilt of {tilt:+.2f} cannot be told to {trainer.name}, which takes one weight for all its "
            "style layers: that pulls as hard as all of this trial's, but in other shares."
        )
    if learning_rate is not None:
        lines.append(
            f"This trial's learning rate of {learning_rate:.2g} is not in the command: {trainer.name} has its own, for "
            "longer runs than this trial."
        )
    return lines


def nearness_in_words(
    trainer: PublishedTrainer, matched: MatchedWeights, *, num_pictures: int, is_own_loss: bool = False
) -> str:
    """Return a line with the cosine, and why the weights are approximate if they are, or what to do if none match.

    Args:
        trainer: Whose loss one of the two is.
        matched: Weights from one to the other, and how alike both are.
        num_pictures: On how many pictures.
        is_own_loss: Whether the other one is of a study that searched in the trainer's loss.
    """
    terms = ", ".join(f"{TERM_LABELS[term]} {cosine:.3f}" for term, cosine in matched.term_cosines.items())
    line = (
        f"Cosine of both losses' gradients on {num_pictures} pictures: {matched.cosine:.3f}, lowest "
        f"{matched.lowest_cosine:.3f} ({terms})."
    )
    if is_own_loss and (said := export_in_words(trainer, matched)):
        return f"{line}\n{said}"
    reasons = why_approximate(trainer, matched)
    if matched.nearness is Nearness.NO_MATCH:
        return (
            f"{line}\nNo match: {'; '.join(reasons)}. These weights do there something else than here. To find weights "
            f"for {trainer.name}, search in its own loss: styletuner study run ... --trainer {trainer.name}"
        )
    return f"{line}\nApproximate: {'; '.join(reasons)}." if reasons else line
