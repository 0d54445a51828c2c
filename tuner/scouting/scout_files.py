"""What stands beside a scout: the configuration and pictures that it was trained with; loads no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.loading import validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ScoutError
from tuner.scouting.scout_identity import require_fitting
from tuner.search.study_pictures import StudyPictures

NOT_OF_A_SCOUT: Final = {"suggestions", "checkpoint_every"}
"""Of its section of a configuration, what does not change what it is."""

COMMAND: Final = "scout train"
"""What writes the files of a scout."""


@final
@dataclass(frozen=True, kw_only=True)
class ScoutRecord:
    """What a scout's file says of it.

    Attributes:
        path: The scout, a .keras file.
        config: The configuration that it was trained with, pictures included.
        pictures: Hashes of those pictures.
        images: It was trained on.
        network_sha256: Content hash of the file.
    """

    path: Path
    config: StudyConfig
    pictures: Mapping[str, str]
    images: int
    network_sha256: str

    def settings(self) -> dict[str, Any]:
        """Return nested values by which a configuration asks for a study that starts from this very scout."""
        own = self.config.scout.model_dump(mode="json", exclude=NOT_OF_A_SCOUT)
        return {"search": {"start": "scout"}, "scout": own}

    def require_fitting(self, config: StudyConfig, pictures: StudyPictures) -> None:
        """See that what it knows is what a study asks.

        Raises:
            ScoutError: It was trained with something else, or for another number of images.
        """
        owner = f"Scout {self.path}"
        require_fitting(self.config, self.pictures, config, pictures.identity(), owner=owner)
        theirs = self.config.scout.model_dump(exclude=NOT_OF_A_SCOUT)
        for name, wanted in config.scout.model_dump(exclude=NOT_OF_A_SCOUT).items():
            if theirs[name] != wanted:
                raise ScoutError(
                    f"{owner} was trained with `scout.{name}` {theirs[name]}; the study has {wanted}. Set it to that."
                )


def read_scout_record(path: Path) -> ScoutRecord:
    """Read the record of a scout.

    Raises:
        ScoutError: The file is missing, damaged, or no scout of this version.
        ConfigError: The configuration in the record does not fit this version.
    """
    advice = (
        f"Train one with `styletuner scout train CONFIG|PRESET -o {path}`, or write a study's own with "
        f"`styletuner study export NAME --scout {path}`."
    )
    if not path.is_file():
        raise ScoutError(f"Scout {path} {'is no file' if path.exists() else 'does not exist'}. {advice}")
    files = NetworkFiles(path, command=COMMAND)
    record = files.read()
    if record is None:
        raise ScoutError(
            f"{path} is no scout with its record {files.record.name} beside it, or one of them is damaged. {advice}"
        )
    config = validate_config(record.get("configuration") or {}, source=str(files.record))
    pictures, images = record.get("pictures"), record["images"]
    if not isinstance(pictures, dict) or not isinstance(images, int):
        raise not_of_this_version(path)
    return ScoutRecord(
        path=path,
        config=config,
        pictures=pictures,
        images=images,
        network_sha256=str(record["network_sha256"]),
    )


def not_of_this_version(path: Path) -> ScoutError:
    """Return what is raised for a file that is no scout that this version knows."""
    return ScoutError(
        f"{path} is no scout of this version of styletuner. Train one: styletuner scout train CONFIG|PRESET -o {path}"
    )
