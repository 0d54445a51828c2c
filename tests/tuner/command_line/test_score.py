"""`styletuner score` from the command line: pictures of any origin, and what it refuses."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from models.pictures.images import read_image, write_image
from tests.tuner.conftest import RunCli

pytestmark = pytest.mark.slow

PARTS = ("content_preservation", "style_match", "artefact_factor")


def test_score_of_pictures(run_cli: RunCli, folder: Path) -> None:
    photo = read_image(folder / "photos" / "photo_00.png")
    write_image(folder / "noise.png", np.random.default_rng(0).random(photo.shape, np.float32))
    arguments = ("score", "--photo", "photos/photo_00.png", "--style", "style.png")
    rows: list[dict[str, Any]] = json.loads(
        run_cli(*arguments, "noise.png", "photos/photo_00.png", "--json").require_success().stdout
    )
    assert {row["name"] for row in rows} == {"noise.png", "photos/photo_00.png"}
    assert [row["quality"] for row in rows] == sorted((row["quality"] for row in rows), reverse=True)
    by_name = {row["name"]: row for row in rows}
    for row in rows:
        assert all(0 <= row[part] <= 1 for part in ("quality", *PARTS))
        assert row["terms"]
    same, noise = by_name["photos/photo_00.png"], by_name["noise.png"]
    assert same["content_preservation"] > noise["content_preservation"]
    table = run_cli(*arguments, "noise.png").require_success().stdout
    assert f"{noise['quality']:7.3f}" in table
    assert f"noise.png  ({'; '.join(reason['text'] for reason in noise['reasons'])})" in table


def test_score_of_what_two_networks_painted(run_cli: RunCli, folder: Path) -> None:
    """Photos are found by name; the pictures of a folder are judged together."""
    names = ("photo_00", "photo_01")
    photos = [read_image(folder / "photos" / f"{name}.png") for name in names]
    for network, strength in (("same", 0.0), ("faded", 0.5)):
        for name, photo in zip(names, photos, strict=True):
            write_image(folder / network / f"{name}-out.png", (1 - strength) * photo + strength * photo.mean())
    arguments = ("score", "--photo", "photos", "--style", "style.png", "faded", "same")
    rows = json.loads(run_cli(*arguments, "--json").require_success().stdout)
    assert {row["name"] for row in rows} == {"same", "faded"}
    for row in rows:
        assert [picture["photo"] for picture in row["pictures"]] == [f"photos/{name}.png" for name in names]
        assert row["quality"] == pytest.approx(np.mean([picture["quality"] for picture in row["pictures"]]))
        assert row["spread"] == pytest.approx(np.std([picture["quality"] for picture in row["pictures"]], ddof=1))
        assert row["standard_error"] == pytest.approx(row["spread"] / 2**0.5)
        assert row["terms"]["collapse"] is not None
        assert row["reasons"], "neither is in the style"
    assert [row["tied_with_best"] for row in rows] == [False, False]
    best = rows[0]["name"]
    shutil.copytree(folder / best, folder / "again")
    again = json.loads(run_cli(*arguments, "again", "--json").require_success().stdout)
    assert {row["name"]: row["tied_with_best"] for row in again if row["quality"] == again[0]["quality"]} in (
        {best: False, "again": True},
        {best: True, "again": False},
    )
    assert run_cli(*arguments, "again").require_success().stdout.count(", tied with the best") == 1
    table = run_cli(*arguments, "--each").require_success().stdout
    heads, first, picture = (line.split() for line in table.splitlines()[:3])
    assert heads[:3] == ["quality", "error", "spread"]
    assert first[1:3] == [f"{rows[0][name]:.3f}" for name in ("standard_error", "spread")]
    assert picture[1:3] == ["-", "-"]
    assert [line.count("-out.png") for line in table.splitlines()] == [0, 0, 1, 1, 0, 1, 1]


def test_score_says_what_it_does_with_odd_pictures(run_cli: RunCli, folder: Path) -> None:
    with PIL.Image.open(folder / "photos" / "photo_00.png") as photo:
        see_through = photo.convert("RGBA")
        see_through.putalpha(128)
        see_through.save(folder / "odd.png")
        photo.convert("L").resize((photo.width // 2, photo.height // 2)).save(folder / "small.png")
    arguments = ("score", "--photo", "photos/photo_00.png", "--style", "photos/photo_00.png")
    outcome = run_cli(*arguments, "odd.png", "small.png", "--json").require_success()
    assert "odd.png: transparent pixels of picture taken for white" in outcome.stderr
    assert "small.png: photo resized from" in outcome.stderr
    odd = next(row for row in json.loads(outcome.stdout) if row["name"] == "odd.png")
    assert odd["pictures"][0]["note"].startswith("transparent pixels of picture taken for white")
    assert "odd.png and 1 more: photo and style image are the same picture" in outcome.stderr
    assert (
        "resized"
        in next(row for row in json.loads(outcome.stdout) if row["name"] == "small.png")["pictures"][0]["note"]
    )


def test_an_interrupt_ends_in_one_line(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("objectives.judging.scoring.measure_output", interrupt)
    outcome = run_cli("score", "--photo", "photos/photo_00.png", "--style", "style.png", "photos/photo_00.png")
    assert outcome.status == 1
    assert outcome.stderr.strip() == "Interrupted. Nothing was scored; the same command begins anew."


def test_score_of_a_picture_that_is_too_long(run_cli: RunCli, folder: Path) -> None:
    PIL.Image.new("RGB", (640, 32)).save(folder / "strip.png")
    arguments = ("score", "--photo", "strip.png", "--style", "style.png")
    run_cli(*arguments, "strip.png").require_refusal("strip.png", "16 times its shorter side")


def test_score_of_missing_pictures(run_cli: RunCli) -> None:
    arguments = ("score", "--photo", "photos/photo_00.png", "--style", "style.png")
    run_cli(*arguments, "photos/photo_01.png", "nowhere.png").require_refusal("nowhere.png", "does not exist")


def test_score_of_another_shape(run_cli: RunCli) -> None:
    arguments = ("score", "--photo", "photos/photo_00.png", "--style", "style.png")
    run_cli(*arguments, "photos/photo_03.png").require_refusal("photo_03.png")


def test_score_without_a_photo_of_that_name(run_cli: RunCli) -> None:
    arguments = ("score", "--photo", "photos", "--style", "style.png")
    run_cli(*arguments, "style.png").require_refusal("No photo in photos", "style.png")


def test_score_of_a_folder_without_pictures(run_cli: RunCli, folder: Path) -> None:
    (folder / "empty").mkdir()
    arguments = ("score", "--photo", "photos", "--style", "style.png")
    run_cli(*arguments, "empty").require_refusal("no picture in empty")


def test_score_with_a_style_image_of_one_colour(run_cli: RunCli, folder: Path) -> None:
    PIL.Image.new("RGB", (64, 64), "teal").save(folder / "teal.png")
    arguments = ("score", "--photo", "photos/photo_00.png", "--style", "teal.png")
    run_cli(*arguments, "photos/photo_00.png").require_refusal("teal.png", "almost one colour")


def test_score_of_a_tiny_picture(run_cli: RunCli, folder: Path) -> None:
    PIL.Image.new("RGB", (12, 12)).save(folder / "tiny.png")
    arguments = ("score", "--photo", "photos/photo_00.png", "--style", "style.png")
    run_cli(*arguments, "tiny.png").require_refusal("tiny.png", "at least 16 px")
