"""Nothing that is there is written over by a study's commands, unless they made it themselves."""

import shutil
from pathlib import Path

import pytest
import yaml

from models.pictures.images import read_image, write_image
from studies.records.exported_config import read_exported
from tests.objectives.drawn_pictures import draw_photo
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME

pytestmark = pytest.mark.usefixtures("finished")

EXPORT = ("study", "export", NAME, "-o")
SHEET = ("study", "show", NAME, "--sheet")


def contents(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "styletuner.db-" not in path.name
    }


@pytest.mark.parametrize("command", [EXPORT, SHEET])
@pytest.mark.parametrize(
    "name", ["styletuner.db", "styletuner.db-wal", "styletuner.db.lock", "photos/photo_00.jpg", "best", "tiny.yaml/a"]
)
def test_suffix_of_something_else(run_cli: RunCli, folder: Path, command: tuple[str, ...], name: str) -> None:
    write_image(folder / "photos" / "photo_00.jpg", draw_photo(1))
    before = contents(folder)
    run_cli(*command, name).require_refusal(name, "must end in")
    assert contents(folder) == before


@pytest.mark.parametrize(("command", "name"), [(EXPORT, "a.yaml"), (EXPORT, "a.yml"), (SHEET, "a.png")])
@pytest.mark.parametrize("kind", ["a file", "a symbolic link", "a hard link"])
def test_somebody_elses_file(run_cli: RunCli, folder: Path, command: tuple[str, ...], name: str, kind: str) -> None:
    if kind == "a file":
        shutil.copy(folder / "style.png", folder / name)
    elif kind == "a symbolic link":
        (folder / name).symlink_to("styletuner.db")
    else:
        (folder / name).hardlink_to(folder / "styletuner.db")
    before = contents(folder)
    run_cli(*command, name).require_refusal(name, "Choose another name")
    assert contents(folder) == before


@pytest.mark.parametrize(("command", "suffix"), [(EXPORT, ".yaml"), (SHEET, ".png")])
def test_a_database_of_a_misleading_name(run_cli: RunCli, folder: Path, command: tuple[str, ...], suffix: str) -> None:
    database = (folder / "styletuner.db").rename(folder / f"study{suffix}")
    (folder / "styletuner_artifacts").rename(folder / "study_artifacts")
    before = contents(folder / "study_artifacts")
    storage = ("--storage", database.name)
    outcome = run_cli(*command, database.name, *storage)
    outcome.require_refusal(f"would overwrite {database}", "needed", "Choose another name")
    run_cli("study", "show", NAME, *storage).require_success()
    run_cli(*command, f"study_artifacts/new{suffix}", *storage).require_refusal("study_artifacts", "needed")
    assert contents(folder / "study_artifacts") == before


@pytest.mark.parametrize(("command", "name"), [(EXPORT, "a.yaml"), (SHEET, "a.png")])
@pytest.mark.parametrize("place", ["/proc", "style.png", "x" * 300])
def test_place_where_nothing_can_be_written(run_cli: RunCli, command: tuple[str, ...], name: str, place: str) -> None:
    """That is found before the study is read and printed."""
    outcome = run_cli(*command, f"{place}/{name}").require_refusal(f"{place}/{name} cannot be written")
    assert outcome.stdout == ""


def test_a_sheet_takes_the_place_of_an_earlier_one(run_cli: RunCli, folder: Path) -> None:
    for _ in range(2):
        run_cli(*SHEET, "sheets/new/a.png").require_success()
    assert [path.name for path in (folder / "sheets" / "new").iterdir()] == ["a.png"]


def test_an_export_takes_the_place_of_an_earlier_one_though_it_was_edited(run_cli: RunCli, folder: Path) -> None:
    for _ in range(2):
        run_cli(*EXPORT, "new/a.yaml").require_success()
        assert {path.name for path in (folder / "new").iterdir()} == {"a.yaml", "a_style.png"}
        values = yaml.safe_load((folder / "new" / "a.yaml").read_text())
        (folder / "new" / "a.yaml").write_text(yaml.safe_dump(values))


def test_another_picture_of_the_style_images_name_stays(run_cli: RunCli, folder: Path) -> None:
    write_image(folder / "mine_style.png", draw_photo(1))
    before = (folder / "mine_style.png").read_bytes()
    for _ in range(2):
        run_cli(*EXPORT, "mine.yaml").require_success()
        assert (folder / "mine_style.png").read_bytes() == before
        assert {path.name for path in folder.glob("mine*")} == {"mine.yaml", "mine_style.png", "mine_style-2.png"}
        assert read_exported(folder / "mine.yaml").style_path.read_bytes() == (folder / "style.png").read_bytes()


def test_what_a_run_leaves_in_a_folder_gets_a_number_beside_foreign_files(run_cli: RunCli, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / f"{NAME}.yaml").write_text("mine: true")
    write_image(folder / "out" / f"{NAME}.png", draw_photo(1))
    before = contents(folder / "out")
    for _ in range(2):
        outcome = run_cli("study", "run", "tiny.yaml", "--name", NAME, "-o", "out").require_success()
        assert f"out/{NAME}-2.yaml" in outcome.stdout
        assert {path: path.read_bytes() for path in before} == before
        new = {path.name for path in (folder / "out").iterdir()} - {path.name for path in before}
        assert new == {f"{NAME}-2.yaml", f"{NAME}-2_style.png", f"{NAME}-2.png"}
    assert read_image(folder / "out" / f"{NAME}-2.png").shape[0] > 4 * 48
