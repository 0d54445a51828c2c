"""What is checked before a study is opened: its pictures, and where results shall go."""

from collections.abc import Callable

from groundwork.output_files import check_folder
from models.pictures.demo_pictures import write_demo_pictures
from models.pictures.images import style_remark
from models.pretrained.files import cache_folder
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.running.request import StudyRequest
from tuner.running.shared_work import SharedWork
from tuner.running.workers.worker_places import find_places
from tuner.search.study_pictures import StudyPictures, open_pictures


def prepare(
    request: StudyRequest, *, say: Callable[[str], None], shared: SharedWork
) -> tuple[StudyConfig, StudyPictures]:
    """Return the configuration and the pictures of a wanted study, once all that needs no network has been checked.

    Args:
        request: The study.
        say: Told in a line what was found.
        shared: Has the photos if an earlier study of this process has found them.

    Raises:
        ConfigError: No style image or no photos are given, or a scout for trials that start from noise; a GPU is named
            that is not there, or there are far too many workers; or a cluster is wanted whose machines could not share
            the study.
        WorkerError: A cluster is wanted and Ray is not installed.
        OutputError: `output` is no folder, or cannot be written.
        ImageError: The style image cannot be used.
        PhotosError: There are too few photos.
        ScoutError: The scout is another study's.
    """
    if request.cluster is None:
        find_places(request.workers)
    else:
        request.cluster.check(request.storage)
    config = with_demo_pictures(request.config)
    pictures = shared.pictures(config)
    _describe(pictures, say=say)
    if request.scout is not None:
        if config.search.start != "scout":
            raise ConfigError("`search.start` must be scout where a scout is given. Leave one of them out.")
        request.scout.require_fitting(config, pictures)
    if request.output is not None:
        check_folder(request.output, called="`--output`")
    return config, pictures


def find_pictures(config: StudyConfig, *, say: Callable[[str], None]) -> tuple[StudyConfig, StudyPictures]:
    """Open a configuration's pictures, and return it with the demo's where it names none and is the demo's.

    Raises:
        ConfigError: No style image or no photos are given.
        ImageError: The style image cannot be used.
        PhotosError: There are too few photos.
    """
    config = with_demo_pictures(config)
    pictures = open_pictures(config)
    _describe(pictures, say=say)
    return config, pictures


def with_demo_pictures(config: StudyConfig) -> StudyConfig:
    """Give the demo preset its own pictures where none are named."""
    if config.preset != "demo" or (config.style and config.photos):
        return config
    demo = write_demo_pictures(cache_folder() / "demo")
    return config.model_copy(update={"style": config.style or demo.style, "photos": config.photos or (demo.photos,)})


def _describe(pictures: StudyPictures, *, say: Callable[[str], None]) -> None:
    """Say how many pictures there are and which were skipped."""
    split = pictures.split
    held_out = len(split.rung) + len(split.calibration) + len(split.report)
    say(f"{len(split.training)} photos to train on, {held_out} held out, style {pictures.style_path}")
    if pictures.collection.skipped:
        say(pictures.collection.describe_skipped())
    if remark := style_remark(pictures.style_path):
        say(remark[0].upper() + remark[1:])
