"""A trained scout: every setting's network in one file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import keras
import numpy as np
from numpy.typing import NDArray

from measures.ratio_space import CODE_SIZE, RatioSpace, encode
from measures.sampled_values import SampledValues
from models.errors import ImageError, PhotosError
from models.networks.conditioned_style_network import CONDITION, PHOTO
from models.networks.style_network import stylise
from tuner.checkpointed.saved_networks import read_network
from tuner.configuration.settings import StudyConfig
from tuner.errors import ScoutError
from tuner.scouting.scout_files import not_of_this_version, read_scout_record
from tuner.scouting.scout_identity import space_of
from tuner.scouting.scout_network import fold_scout
from tuner.search.study_pictures import StudyPictures, open_pictures


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Scout:
    """What a scout is asked.

    Attributes:
        name: Its file, for messages.
        network: The conditioned style network, float32.
        config: The configuration that it was trained with, pictures included.
        pictures: Hashes of those pictures.
        images: It was trained on.
    """

    name: str
    network: keras.Model
    config: StudyConfig
    pictures: Mapping[str, str]
    images: int

    @property
    def space(self) -> RatioSpace:
        """The ranges that it was trained for."""
        return space_of(self.config)

    def fold(self, values: Sequence[SampledValues]) -> list[keras.Model]:
        """Take the plain style networks of some values out of it.

        Raises:
            SampledValuesError: A ratio lies outside the ranges that it was trained for.
        """
        return fold_scout(self.network, self.config, values)

    def paint(self, values: SampledValues, photos: NDArray[np.float32]) -> NDArray[np.float32]:
        """Restyle photos as the network of some values does, rounded to 8 bits as a trial's outputs are.

        Args:
            values: Inside the ranges that it was trained for.
            photos: (photos, height, width, 3) in [0, 1].

        Raises:
            SampledValuesError: A ratio lies outside the ranges.
        """
        conditions = np.repeat(encode(self.space.positions([values])), len(photos), axis=0)
        outputs = stylise(lambda padded: self.network({PHOTO: padded, CONDITION: conditions}, training=False), photos)
        return (np.round(outputs * 255.0) / 255.0).astype(np.float32)

    def open_pictures(self, *, style: Path | None = None, photos: Sequence[Path] = ()) -> StudyPictures:
        """Find the pictures that it was trained with.

        Args:
            style: Where its style image lies now; by default where it was.
            photos: Where its photos lie now; by default where they were.

        Raises:
            ScoutError: They are gone, cannot be used, or are others; says how to name them.
        """
        moved: dict[str, Any] = {}
        if style is not None:
            moved["style"] = style
        if photos:
            moved["photos"] = tuple(photos)
        config = self.config.model_copy(update=moved)
        try:
            pictures = open_pictures(config)
        except (ImageError, PhotosError) as error:
            what, option = ("style image", "--style") if isinstance(error, ImageError) else ("photos", "--photos")
            raise ScoutError(
                f"Scout {self.name} cannot be asked without the {what} it was trained with. {error}\nSay where it has "
                f"them now: {option}"
            ) from error
        for key, what in (("style_sha256", f"style image {config.style} is"), ("photos_digest", "photos are")):
            if pictures.identity()[key] != self.pictures.get(key):
                option = "--style" if key == "style_sha256" else "--photos"
                raise ScoutError(
                    f"The {what} not what scout {self.name} was trained with. Put back what was, or name it: {option}"
                )
        return pictures


def load_scout(path: Path) -> Scout:
    """Load what `train_scout` wrote.

    Raises:
        ScoutError: The file is missing, or holds no scout of this version.
        NetworkFileError: It is damaged.
        ConfigError: The configuration beside it does not fit this version.
    """
    record = read_scout_record(path)
    network = read_network(path)
    inputs = network.input if isinstance(network.input, Mapping) else {}
    if set(inputs) != {PHOTO, CONDITION} or inputs[CONDITION].shape[-1] != CODE_SIZE:
        raise not_of_this_version(path)
    return Scout(name=str(path), network=network, config=record.config, pictures=record.pictures, images=record.images)
