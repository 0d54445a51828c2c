"""What studies that differ in their style image alone share in one process: each of it is made once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from tuner.configuration.identity import defining_values, digest
from tuner.configuration.settings import StudyConfig
from tuner.search.study_pictures import StudyPictures, open_pictures

if TYPE_CHECKING:
    from tuner.running.estimation import Pace
    from tuner.search.resources import StudyResources
    from tuner.search.study_scale import SettleScale


@final
class SharedWork:
    """Photos, pace and resources of the studies that this process runs one after the other.

    Crops and their features lie on the disk, where all processes find them. What belongs to another configuration or
    other photos is let go.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._key: str | None = None
        self._pictures: StudyPictures | None = None
        self._pace: Pace | None = None
        self._resources: StudyResources | None = None

    def pictures(self, config: StudyConfig) -> StudyPictures:
        """Return a study's pictures; the photos are found and split once.

        Raises:
            ConfigError: No style image or no photos are given.
            ImageError: The style image cannot be used.
            PhotosError: There are too few photos.
        """
        self._keep_only(config)
        found = open_pictures(config) if self._pictures is None else self._pictures.with_style(config)
        self._pictures = found
        return found

    def pace(self, config: StudyConfig, pictures: StudyPictures, *, report: Callable[[str], None]) -> "Pace":
        """Return how fast the study's trials are on this machine; it is measured once.

        Raises:
            ConfigError: The study's tables of crops and features have no room.
        """
        from tuner.running.estimation import measure_pace

        self._keep_only(config)
        if self._pace is None:
            self._pace = measure_pace(config, pictures, report=report)
        return self._pace

    def resources(
        self,
        config: StudyConfig,
        pictures: StudyPictures,
        *,
        report: Callable[[str], None],
        settle: "SettleScale",
    ) -> "StudyResources":
        """Return what the study's trials share; of a later study the networks, crops and compiled step are there.

        Raises:
            ConfigError: Crops or features have no room.
            StudyError: The study's scale is another one than was measured here.
        """
        from tuner.search.resources import StudyResources

        self._keep_only(config)
        if self._resources is None:
            self._resources = StudyResources(config, pictures, report=report, settle=settle)
        else:
            self._resources.go_over_to(config, pictures, report=report, settle=settle)
        return self._resources

    def release(self) -> None:
        """Let networks, held-out photos and the compiled step go; a later study loads its own."""
        self._resources = None

    def _keep_only(self, config: StudyConfig) -> None:
        key = digest({**defining_values(config), "photos": [str(path.resolve()) for path in config.photos]})
        if key != self._key:
            self._key, self._pictures, self._pace, self._resources = key, None, None, None
