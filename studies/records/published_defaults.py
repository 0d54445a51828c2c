"""Published trainers' default weights as a study tries them: what is noted on its trials, and which it leaves out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, final

from measures.errors import SampledValuesError
from measures.gradient_matching import Nearness
from measures.sampled_values import SampledValues
from studies.records import attributes
from studies.records.attribute_values import mapping_of, number_of, text_of, texts_of


@final
@dataclass(frozen=True, kw_only=True)
class PublishedDefaults:
    """A trainer's default weights, converted to a study's loss.

    Attributes:
        trainer: Its name.
        cosine: Between the gradients of both losses, in [-1, 1]; 1 is the same loss.
        reasons: Why they are an approximation, one phrase each; none where they are not.
    """

    trainer: str
    cosine: float
    reasons: tuple[str, ...] = ()

    @property
    def nearness(self) -> Nearness:
        """How near they come: the same only where nothing stands in for anything either."""
        return Nearness.of(self.cosine, reasons=self.reasons)

    @property
    def possessive(self) -> str:
        """The trainer's name in the genitive."""
        return f"{self.trainer}'" if self.trainer.endswith("s") else f"{self.trainer}'s"

    @property
    def remark(self) -> str:
        """What is to be said of it, in brackets behind its name; empty where it is exact."""
        return "" if self.nearness is Nearness.SAME else f" ({self.nearness.value})"

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read one of an attribute's; None if it names no trainer or no cosine."""
        known = mapping_of(value)
        trainer, cosine = text_of(known.get("trainer")), number_of(known.get("cosine"))
        if trainer is None or cosine is None:
            return None
        return cls(trainer=trainer, cosine=cosine, reasons=texts_of(known.get("reasons")))


@final
@dataclass(frozen=True, kw_only=True)
class PublishedSetting:
    """What a trial runs that tries published defaults.

    Attributes:
        defaults: Whose; several where they come to the same.
        style_to_content: Ratio that is run, from 0, whether or not the search's range holds it.
        tv_to_content: The same of total variation.
    """

    defaults: tuple[PublishedDefaults, ...]
    style_to_content: float
    tv_to_content: float

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read a trial's attribute; None if it is missing, or was edited into what no trial is run with."""
        known = mapping_of(value)
        entries = known.get("defaults")
        read = map(PublishedDefaults.parse, entries if isinstance(entries, list | tuple) else ())
        defaults = tuple(one for one in read if one is not None)
        try:
            values = SampledValues.from_dict(
                {name: known.get(name) for name in ("style_to_content", "tv_to_content")}
            ).to_dict()
        except SampledValuesError:
            return None
        return cls(defaults=defaults, **values) if defaults else None

    def to_attribute(self) -> dict[str, Any]:
        """Return plain values for a trial's attribute."""
        return asdict(self)

    def ratios(self) -> dict[str, float]:
        """Return the ratios by the names of Optuna's parameters."""
        return {"style_to_content": self.style_to_content, "tv_to_content": self.tv_to_content}

    def whose(self) -> str:
        """Return whose they are: "lengstrom's (approximate) and pytorch-examples'"."""
        return " and ".join(f"{one.possessive}{one.remark}" for one in self.defaults)

    def in_words(self) -> str:
        """Return whose defaults they are: "lengstrom's defaults (approximate)"."""
        if len(self.defaults) > 1:
            return f"defaults: {self.whose()}"
        return f"{self.defaults[0].possessive} defaults{self.defaults[0].remark}"


@final
@dataclass(frozen=True, kw_only=True)
class UntriedDefaults:
    """Published defaults for which a study has no trial.

    Attributes:
        trainer: Whose.
        why: In a few words.
    """

    trainer: str
    why: str


def published_setting(user_attrs: Mapping[str, Any]) -> PublishedSetting | None:
    """Return what a trial runs of published defaults; None where it was sampled or enqueued otherwise."""
    return PublishedSetting.parse(user_attrs.get(attributes.PUBLISHED))


def parse_untried(value: object) -> tuple[UntriedDefaults, ...]:
    """Read a study's attribute; what is not understood is left out."""
    entries = [mapping_of(entry) for entry in value] if isinstance(value, list | tuple) else []
    pairs = [(text_of(entry.get("trainer")), text_of(entry.get("why"))) for entry in entries]
    return tuple(UntriedDefaults(trainer=trainer, why=why) for trainer, why in pairs if trainer and why)
