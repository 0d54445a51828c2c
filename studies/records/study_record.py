"""What a study says about itself: its user attributes, read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, final

from measures.quality import CONTENT_EXPONENT
from measures.sampled_values import RATIOS
from measures.search_ranges import Limits
from studies.records import attributes
from studies.records.attribute_values import (
    count_of,
    limits_by_name,
    mapping_of,
    number_of,
    text_of,
    texts_by_name,
    texts_of,
)
from studies.records.final import StudyFinal
from studies.records.published_defaults import UntriedDefaults, parse_untried
from studies.records.rescored_from import RescoredFrom
from studies.records.study_scout import StudyScout
from studies.records.study_starter import StudyStarter
from studies.records.validation import Validation, parse_validations
from studies.records.widened_from import WidenedFrom

_FILE_NAMES: Final = {
    attributes.SCOUT_NETWORK: "scout.keras",
    attributes.SCOUT_RECORD: "scout.training.yaml",
    attributes.SCOUT_SHEET: "scout.png",
    attributes.STARTER_NETWORK: "starter.keras",
}
"""Of those files that are named otherwise than what they are: a scout is known by the record beside it."""


@final
@dataclass(frozen=True, kw_only=True)
class PhotoSets:
    """Which photos a study uses for what.

    Attributes:
        training: How many it trains on; None if that is not known.
        rung: Content hashes of the photos that rank trials.
        calibration: Of the photos that people are asked about.
        report: Of the photos that only reports touch.
        skipped: How many files could not be used; None if that is not known.
        paths: Where the photos lay when the study was started or last resumed.
    """

    training: int | None = None
    rung: tuple[str, ...] = ()
    calibration: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    skipped: int | None = None
    paths: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the attribute; what is missing or of another type is empty."""
        known = mapping_of(value)
        return cls(
            training=count_of(known.get("training")),
            rung=texts_of(known.get("rung")),
            calibration=texts_of(known.get("calibration")),
            report=texts_of(known.get("report")),
            skipped=count_of(known.get("skipped")),
            paths=texts_of(known.get("paths")),
        )

    def to_attribute(self) -> dict[str, Any]:
        """Return the value of a study's attribute, from which `parse` makes the same again."""
        return {
            "training": self.training,
            "rung": list(self.rung),
            "calibration": list(self.calibration),
            "report": list(self.report),
            "skipped": self.skipped,
            "paths": list(self.paths),
        }


@final
@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """A study's user attributes; None or empty where one is missing or of another type than ours.

    Attributes:
        configuration: Everything that was configured, but for the pictures; empty in a study that is not ours.
        configuration_hash: sha256 of configuration and pictures.
        identity: Hashes of the style image, photos and pretrained files.
        references: What each loss term is divided by, by use.
        versions: Version of each package that a number may depend on.
        judge_version: Version of the judge whose scores the study ranks by; empty if it has none.
        photos: Which photos are used for what.
        style_image: Artifact id of the style image's file.
        style_picture: Of the style image as it was judged.
        rung_photos: Of the rung photos, side by side.
        calibration_photos: Of the calibration photos, side by side.
        style_path: Where the style image lay when the study was started or last resumed.
        images: Images that a complete trial trains on.
        content_exponent: With which the judge combined the parts, in [0, 1].
        rescored_from: Where its first trials come from; None in a study that is not re-scored.
        widened_from: Where its first trials come from; None in a study that is not widened.
        ranges: In which its trials' values are searched, by name.
        validations: Long runs of some of its settings, by this judge, and of its trials (`extensions`); the last one
            that was worked on at the end.
        scout: What its trials start from; None where they start from something else, or while it has none yet.
        scout_network: Artifact id of the scout's file.
        scout_record: Of the record of its training.
        scout_sheet: Of the picture of what it paints.
        starter: The one network that its trials start from; None as for the scout.
        starter_network: Artifact id of its file.
        final: Its best trials trained again, by this judge; None without one.
        untried_defaults: Published defaults that its trials do not try.
    """

    configuration: Mapping[str, Any]
    configuration_hash: str | None
    identity: Mapping[str, Any]
    references: Mapping[str, Any]
    versions: Mapping[str, str]
    judge_version: str
    photos: PhotoSets
    style_image: str | None
    style_picture: str | None
    rung_photos: str | None
    calibration_photos: str | None
    style_path: str | None
    images: int | None
    content_exponent: float
    rescored_from: RescoredFrom | None = None
    widened_from: WidenedFrom | None = None
    ranges: Mapping[str, Limits] = field(default_factory=dict)
    validations: tuple[Validation, ...] = ()
    scout: StudyScout | None = None
    scout_network: str | None = None
    scout_record: str | None = None
    scout_sheet: str | None = None
    starter: StudyStarter | None = None
    starter_network: str | None = None
    final: StudyFinal | None = None
    untried_defaults: tuple[UntriedDefaults, ...] = ()

    @classmethod
    def parse(cls, user_attrs: Mapping[str, Any]) -> Self:
        """Read a study's user attributes; never fails, whatever they are."""
        configuration = mapping_of(user_attrs.get(attributes.CONFIGURATION))
        exponent = number_of(mapping_of(configuration.get("quality")).get("content_exponent"))
        judge_version = text_of(user_attrs.get(attributes.JUDGE_VERSION)) or ""
        validations = parse_validations(user_attrs.get(attributes.VALIDATIONS))
        final = StudyFinal.parse(user_attrs.get(attributes.FINAL))
        return cls(
            configuration=configuration,
            configuration_hash=text_of(user_attrs.get(attributes.CONFIGURATION_HASH)),
            identity=mapping_of(user_attrs.get(attributes.IDENTITY)),
            references=mapping_of(user_attrs.get(attributes.REFERENCES)),
            versions=texts_by_name(user_attrs.get(attributes.VERSIONS)),
            judge_version=judge_version,
            photos=PhotoSets.parse(user_attrs.get(attributes.PHOTOS)),
            style_image=text_of(user_attrs.get(attributes.STYLE_IMAGE)),
            style_picture=text_of(user_attrs.get(attributes.STYLE_PICTURE)),
            rung_photos=text_of(user_attrs.get(attributes.RUNG_PHOTOS)),
            calibration_photos=text_of(user_attrs.get(attributes.CALIBRATION_PHOTOS)),
            style_path=text_of(user_attrs.get(attributes.STYLE_PATH)),
            images=count_of(mapping_of(configuration.get("training")).get("images")),
            content_exponent=exponent if exponent is not None and 0 <= exponent <= 1 else CONTENT_EXPONENT,
            rescored_from=RescoredFrom.parse(user_attrs.get(attributes.RESCORED_FROM)),
            widened_from=WidenedFrom.parse(user_attrs.get(attributes.WIDENED_FROM)),
            ranges=ranges_of(configuration),
            validations=tuple(found for found in validations if found.judge_version == judge_version),
            scout=StudyScout.parse(user_attrs.get(attributes.SCOUT)),
            scout_network=text_of(user_attrs.get(attributes.SCOUT_NETWORK)),
            scout_record=text_of(user_attrs.get(attributes.SCOUT_RECORD)),
            scout_sheet=text_of(user_attrs.get(attributes.SCOUT_SHEET)),
            starter=StudyStarter.parse(user_attrs.get(attributes.STARTER)),
            starter_network=text_of(user_attrs.get(attributes.STARTER_NETWORK)),
            final=None if final is None or final.judge_version != judge_version else final,
            untried_defaults=parse_untried(user_attrs.get(attributes.UNTRIED_DEFAULTS)),
        )

    @property
    def is_ours(self) -> bool:
        """Whether `styletuner study run` made the study."""
        return bool(self.configuration)

    @property
    def validation(self) -> Validation | None:
        """The validation that was done last; if none is done, the one that was begun last; None without any."""
        begun = [found for found in self.validations if not found.is_extension]
        done = [found for found in begun if found.outcome() is not None]
        return next(reversed(done or begun), None)

    @property
    def extensions(self) -> tuple[Validation, ...]:
        """What some of its trials came to when they were trained on, the shortest first."""
        found = [found for found in self.validations if found.is_extension]
        return tuple(sorted(found, key=lambda one: one.images))

    @property
    def later_artifacts(self) -> dict[str, str]:
        """Artifact id by name of what was painted after the trials, for validations and the final: the study's too."""
        named: dict[str, str | None] = {}
        for found in self.validations:
            named[found.name] = found.sheet
            named |= {f"{found.name}_trial_{run.trial}": run.outputs for run in found.runs}
        known = {name: artifact for name, artifact in named.items() if artifact is not None}
        return {**known, **({} if self.final is None else self.final.artifacts)}

    @property
    def artifacts(self) -> dict[str, str]:
        """Artifact id by attribute of everything that is kept with the study itself."""
        known = {
            attributes.STYLE_IMAGE: self.style_image,
            attributes.STYLE_PICTURE: self.style_picture,
            attributes.RUNG_PHOTOS: self.rung_photos,
            attributes.CALIBRATION_PHOTOS: self.calibration_photos,
            attributes.SCOUT_NETWORK: self.scout_network,
            attributes.SCOUT_RECORD: self.scout_record,
            attributes.SCOUT_SHEET: self.scout_sheet,
            attributes.STARTER_NETWORK: self.starter_network,
        }
        return {name: artifact for name, artifact in known.items() if artifact is not None}


def kept_file_name(kind: str) -> str:
    """Return the name of a file that is kept with a study or trial, by the name of what it is: "outputs.png"."""
    return _FILE_NAMES.get(kind, f"{kind}.png")


def ranges_of(configuration: Mapping[str, Any]) -> dict[str, Limits]:
    """Return the ranges in which a configuration has ratios sampled, by name; what is no range is left out."""
    known = limits_by_name(configuration.get("search"))
    return {name: known[name] for name in RATIOS if name in known}
