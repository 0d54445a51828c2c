"""Where what is trained for a study has its files: beside the study's tables of crops, for as long as they stay."""

from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.identity import digest
from tuner.configuration.settings import StudyConfig
from tuner.installation.versions import versions
from tuner.search.crop_tables import CropTables
from tuner.search.study_pictures import StudyPictures


def files_beside_crops(
    config: StudyConfig, pictures: StudyPictures, kind: str, *, identity: str, images: int, command: str
) -> NetworkFiles:
    """Return where a network that is trained on a study's crops has its files.

    Args:
        config: With the crops.
        pictures: Of the study.
        kind: What it is, in a word: "scout".
        identity: What tells it from others of its kind.
        images: It is trained on.
        command: Which writes its files.
    """
    # Another version of a library may train another one.
    hashed = digest({kind: identity, "versions": versions()})[:16]
    folder = CropTables(config, pictures).folder
    return NetworkFiles(folder / f"{kind}-{hashed}-{images}.keras", command=command)
