"""Files that studies and trials name and that are gone or damaged."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import optuna
from optuna.trial import FrozenTrial, TrialState
from PIL import Image

from groundwork.file_hashes import sha256_of
from studies.checking.finding import Finding
from studies.checking.stray_files import ARTIFACT_NAME, aside_folder
from studies.errors import StorageError
from studies.records import attributes
from studies.records.study_record import StudyRecord, kept_file_name
from studies.records.trial_record import TrialRecord
from studies.records.trial_words import listed_trials
from studies.storage.artifact_bucket import ArtifactBucket
from studies.storage.artifacts import artifact_metas
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import find_by_name
from studies.storage.study_storage import StudyStorage

_GONE: Final = "gone"
_DAMAGED: Final = "damaged"
_UNREADABLE: Final = "unreadable"
_ENDED: Final = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)

_MEANING: Final[Mapping[str, str]] = {
    attributes.SHEET_PICTURE: "Contact sheets and the dashboard show no picture there; qualities and weights are kept.",
    attributes.OUTPUT_PICTURES: "`study rescore` leaves out what it cannot read; qualities and weights are kept.",
    attributes.CALIBRATION_PICTURES: "`study prefer` cannot ask about it; qualities and weights are kept.",
    attributes.STYLE_IMAGE: "`study rescore`, `validate` and `export` want it.",
    attributes.STYLE_PICTURE: "Contact sheets and `study prefer` want it.",
    attributes.RUNG_PHOTOS: "`study rescore` then needs the photos themselves, where the study found them.",
    attributes.CALIBRATION_PHOTOS: "`study prefer` wants it; `study rescore` then needs the photos themselves.",
    attributes.SCOUT_NETWORK: "No further trial of the study can start.",
    attributes.STARTER_NETWORK: "No further trial of the study can start.",
}
_OTHER_MEANING: Final = "What is kept in the database is not touched by it."
_PUT_BACK: Final = "Put it back from a copy of the folder of artifacts, if there is one."


@final
@dataclass(frozen=True, kw_only=True)
class _Named:
    """One file as its study or trial names it."""

    artifact: str
    kind: str
    trial: int | None = None
    sha256: str | None = None

    def fault(self, folder: Path) -> str | None:
        """Return what is wrong with it in a folder; None if nothing is."""
        path = folder / self.artifact
        try:
            if not path.is_file():
                return _GONE
            whole = self.sha256 == sha256_of(path) if self.sha256 is not None else self._is_readable(path)
        except FileNotFoundError:
            return _GONE
        except PermissionError:
            return _UNREADABLE
        return None if whole else _DAMAGED

    def _is_readable(self, path: Path) -> bool:
        content = path.read_bytes()
        if not kept_file_name(self.kind).endswith(".png") or self.kind == attributes.STYLE_IMAGE:
            return bool(content)
        try:
            with Image.open(io.BytesIO(content)) as picture:
                picture.verify()
        except Image.DecompressionBombError:
            return True  # larger than Pillow opens unasked; its checksums are not looked at
        except (OSError, SyntaxError, ValueError):
            # Pillow says in these three ways that a PNG file is broken.
            return False
        return True


def find_lost_files(storage: StudyStorage, name: str, *, present: set[str] | None = None) -> tuple[list[Finding], int]:
    """Return which files of a study are gone or damaged, and how many it names; trials on their way are left out.

    Args:
        storage: Where the study lives.
        name: What the study is called.
        present: Names of all files in the storage's bucket, see `files_in_bucket`; None where it has a folder.

    Raises:
        StudyError: There is no such study.
        StorageError: The database cannot be read.
    """
    with storage_errors(storage.url):
        study = storage.read_study(name)
        record, trials = StudyRecord.parse(study.user_attrs), study.get_trials(deepcopy=False)
    if not record.is_ours:
        return [], 0
    stated = [*_of_study(record), *(file for trial in trials for file in _of_trial(trial))]
    named = [file for file in stated if ARTIFACT_NAME.fullmatch(file.artifact)]
    try:
        storage.artifacts.require_place_of(study)
    except StorageError as error:
        return [_other_place(storage, name, named, told=str(error))], len(named)
    folder = storage.artifacts.place.folder
    if named and folder is not None and not folder.is_dir():
        return [_lost_folder(storage, name, len(named))], len(named)
    faults: dict[tuple[str, str], list[_Named]] = {}
    if present is not None and not present.issuperset(file.artifact for file in named):
        present = files_in_bucket(storage)  # written since it was listed, before its trial was read
    fault_of = _looker(storage, present)
    for file in named:
        fault = fault_of(file)
        if fault is not None:
            faults.setdefault((file.kind, fault), []).append(file)
    if find_by_name(storage.read_engine, name) is None:
        return [], 0  # deleted meanwhile, files first
    found = [_finding(storage, study, kind, fault, files) for (kind, fault), files in faults.items()]
    return [*found, *_without_outputs(name, trials), *_dead_notes(storage, name, trials, present=present)], len(named)


def files_in_bucket(storage: StudyStorage) -> set[str] | None:
    """List what lies in a storage's bucket, once for all its studies; None if its files lie in a folder.

    Raises:
        StorageError: The bucket cannot be listed.
    """
    place = storage.artifacts.place
    return place.names() if isinstance(place, ArtifactBucket) else None


def _looker(storage: StudyStorage, present: set[str] | None) -> Callable[[_Named], str | None]:
    """Return what says what is wrong with a file; of one in a bucket whether it is gone."""
    if present is not None:
        return lambda file: None if file.artifact in present else _GONE
    folder = storage.artifacts.path
    return lambda file: file.fault(folder)


def _of_study(record: StudyRecord) -> Iterator[_Named]:
    hashes = {
        attributes.STYLE_IMAGE: record.identity.get("style_sha256"),
        attributes.SCOUT_NETWORK: None if record.scout is None else record.scout.sha256,
        attributes.STARTER_NETWORK: None if record.starter is None else record.starter.sha256,
    }
    for kind, artifact in {**record.artifacts, **record.later_artifacts}.items():
        yield _Named(artifact=artifact, kind=kind, sha256=hashes.get(kind))


def _of_trial(trial: FrozenTrial) -> Iterator[_Named]:
    if trial.state in _ENDED:
        for kind, artifact in TrialRecord.parse(trial.user_attrs).pictures.items():
            yield _Named(artifact=artifact, kind=kind, trial=trial.number)


def _other_place(storage: StudyStorage, name: str, named: list[_Named], *, told: str) -> Finding:
    """A study whose files were kept elsewhere; if all are here by now, a repair notes that."""
    text, _, advice = told.partition(". ")
    is_moved = bool(named) and all(storage.artifacts.has(file.artifact) for file in named)
    mend = (lambda: _note_move(storage, name)) if is_moved else None
    return Finding(kind="other place", study=name, text=text, advice=advice, mend=mend)


def _note_move(storage: StudyStorage, name: str) -> str:
    with storage.exclusive():
        storage.artifacts.note_place(storage.load_study(name))
    return f"noted that its files are in {storage.artifacts.name}"


def _lost_folder(storage: StudyStorage, name: str, num_files: int) -> Finding:
    return Finding(
        kind="lost folder",
        study=name,
        text=f"the folder of its {num_files} files, {storage.artifacts.path}, is not there",
        advice="Put it back beside its database; for one of a server, set STYLETUNER_ARTIFACTS to where it is.",
    )


def _finding(storage: StudyStorage, study: optuna.Study, kind: str, fault: str, files: list[_Named]) -> Finding:
    trials = tuple(file.trial for file in files if file.trial is not None)
    called = f"{kind} of {listed_trials(trials)}" if trials else kind.replace("_", " ")
    sources = {file.artifact: source for file in files if (source := _source(storage, study, file)) is not None}
    whence = "A repair puts back what is at hand of it." if sources else _PUT_BACK
    return Finding(
        kind=f"{fault} files",
        study=study.study_name,
        text=f"{fault}: {called}",
        advice=f"{_MEANING.get(kind, _OTHER_MEANING)} {whence}",
        trials=trials,
        files=tuple(file.artifact for file in files),
        mend=(lambda: _put_back(storage, files, sources)) if sources else None,
    )


def _source(storage: StudyStorage, study: optuna.Study, file: _Named) -> Path | None:
    """Return a whole copy of a file: put aside by an earlier repair, or the style image where it was found."""
    if storage.artifacts.place.folder is not None and file.fault(aside_folder(storage)) is None:
        return aside_folder(storage) / file.artifact
    style_path = StudyRecord.parse(study.user_attrs).style_path
    if file.kind != attributes.STYLE_IMAGE or file.sha256 is None or style_path is None:
        return None
    path = Path(style_path)
    return path if path.is_file() and sha256_of(path) == file.sha256 else None


def _put_back(storage: StudyStorage, files: list[_Named], sources: Mapping[str, Path]) -> str:
    num_back = 0
    with storage.exclusive():
        fault_of = _looker(storage, files_in_bucket(storage))
        for file in files:
            # Somebody may have put it back meanwhile, or taken its copy away.
            source = sources.get(file.artifact)
            if source is not None and source.is_file() and fault_of(file) is not None:
                storage.artifacts.write(file.artifact, source.read_bytes())
                num_back += 1
    return f"put {num_back} of {len(files)} back from {next(iter(sources.values())).parent}"


def _without_outputs(name: str, trials: list[FrozenTrial]) -> list[Finding]:
    """Complete trials that name no outputs at all: of an early version, or copied when the file was gone."""
    parsed = {trial.number: TrialRecord.parse(trial.user_attrs) for trial in trials if trial.state.name == "COMPLETE"}
    numbers = tuple(
        number for number, known in parsed.items() if known.weights and attributes.OUTPUT_PICTURES not in known.pictures
    )
    if not numbers:
        return []
    text = f"no outputs are kept of {listed_trials(numbers)}"
    return [Finding(kind="no outputs", study=name, text=text, advice=_MEANING["outputs"], trials=numbers)]


def _dead_notes(
    storage: StudyStorage, name: str, trials: list[FrozenTrial], *, present: set[str] | None
) -> list[Finding]:
    """Failed trials whose worker an earlier version let note a file before writing it."""
    is_there = storage.artifacts.has if present is None else present.__contains__
    dead: dict[int, list[str]] = {}
    for trial in trials:
        named = set(TrialRecord.parse(trial.user_attrs).pictures.values())
        noted = [meta.artifact_id for meta in artifact_metas(trial.system_attrs)] if trial.state.name == "FAIL" else []
        lost = [artifact for artifact in noted if artifact not in named and not is_there(artifact)]
        if lost:
            dead[trial.number] = lost
    if not dead:
        return []
    text = f"{listed_trials(tuple(dead))} failed before a noted file was written"
    advice = "Nothing but the dashboard's list of files shows it."
    files = tuple(artifact for lost in dead.values() for artifact in lost)
    return [
        Finding(
            kind="unwritten files",
            study=name,
            text=text,
            advice=advice,
            trials=tuple(dead),
            files=files,
        )
    ]
