"""Where studies live: one SQLite file, or a PostgreSQL database, with a folder of artifacts beside it."""

import functools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import optuna
import sqlalchemy
from optuna.storages import RDBStorage

from groundwork.similar_names import did_you_mean
from studies.errors import StorageError, StudyError
from studies.storage.addresses import (
    DEFAULT_STORAGE,
    artifact_address,
    artifact_folder,
    parse_storage,
    redact,
    require_file,
    require_folder,
    shown,
    sqlite_path,
)
from studies.storage.artifact_bucket import ArtifactBucket
from studies.storage.artifact_folder import ArtifactFolder
from studies.storage.artifacts import ArtifactPlace, Artifacts
from studies.storage.connections import connect, copy_database, is_writable, look, require_writable
from studies.storage.database_errors import storage_errors
from studies.storage.exclusive_section import exclusive_section
from studies.storage.schema import (
    Notify,
    newest_version,
    require_known,
    tell_on_standard_error,
    upgrade,
    version_of,
)
from studies.storage.study_identity import StudyPlace, find_by_name, find_by_uuid, give_uuid, is_copied, uuid_of
from studies.storage.tables import delete_study_records

__all__ = ["DEFAULT_STORAGE", "StudyStorage", "parse_storage", "redact", "storage_errors"]


@final
class StudyStorage:
    """A database of studies together with its artifacts; made by `create`, `open` or `open_read_only`.

    Attributes:
        url: SQLAlchemy URL, password included.
        optuna: Storage for Optuna, with heartbeats; on SQLite each of its transactions takes the write lock at once.
        artifacts: Pictures, checkpoints and style images.
    """

    def __init__(self, url: str, *, connection: RDBStorage) -> None:
        self.url = url
        self.optuna = connection
        self.artifacts = Artifacts(_artifact_place(url), storage=connection)
        self._cleanup = ExitStack()

    @classmethod
    def create(cls, text: str, *, notify: Notify = tell_on_standard_error) -> Self:
        """Open a storage for writing, making it first where it does not exist; safe from several processes at once.

        Args:
            text: Its address; see `parse_storage`.
            notify: Told in a line if the tables of an earlier version are upgraded.

        Raises:
            StorageError: If it cannot be made or opened, a later version wrote it, or its artifacts cannot be kept.
        """
        url = parse_storage(text)
        _artifact_place(url).require_usable()
        with storage_errors(url):
            require_writable(url)
            with exclusive_section(url):
                return cls._open_writing(url, create=True, notify=notify)

    @classmethod
    def open(cls, text: str, *, notify: Notify = tell_on_standard_error) -> Self:
        """Open an existing storage for writing; see `create`.

        Raises:
            StorageError: If it does not exist or cannot be opened or written, or a later version wrote it.
        """
        url = parse_storage(text)
        require_file(url)
        with storage_errors(url):
            require_writable(url)
            if sqlite_path(url) is None and _require_tables(url) == newest_version():
                # The workers of a cluster begin at the same moment, and would wait for each other.
                return cls(url, connection=connect(url, writing=True))
            with exclusive_section(url):
                _require_tables(url)
                return cls._open_writing(url, create=False, notify=notify)

    @classmethod
    def open_read_only(cls, text: str) -> Self:
        """Open an existing storage for pages and lists, which never hold the write lock while they read.

        A note written through a page still works where the storage can be written. An SQLite file of an earlier version
        is read from an upgraded private copy, and stays as it is.

        Raises:
            StorageError: If it does not exist or cannot be opened, a later version wrote it, or it is a PostgreSQL
                database of an earlier version.
        """
        url = parse_storage(text)
        require_file(url)
        with storage_errors(url):
            if _require_tables(url) == newest_version():
                return cls(url, connection=connect(url, writing=False))
            return cls._open_upgraded_copy(url)

    @classmethod
    def _open_writing(cls, url: str, *, create: bool, notify: Notify) -> Self:
        require_known(url, None if create and _is_new(url) else _version(url))
        storage = cls(url, connection=connect(url, writing=True, create=create))
        try:
            upgrade(url, storage.engine, notify=notify)
        except BaseException:
            storage.close()
            raise
        return storage

    @classmethod
    def _open_upgraded_copy(cls, url: str) -> Self:
        path = sqlite_path(url)
        if path is None:
            raise StorageError(
                f"{shown(url)} has the tables of an earlier styletuner. Have them upgraded by whatever writes there, "
                "such as `styletuner dashboard`."
            )
        with ExitStack() as cleanup:
            folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="styletuner-"))
            copy = parse_storage(str(Path(folder) / path.name))
            copy_database(path, Path(folder) / path.name)
            connection = connect(copy, writing=False)
            upgrade(copy, connection.engine, notify=lambda _: None)
            storage = cls(url, connection=connection)
            storage._cleanup = cleanup.pop_all()
        return storage

    @staticmethod
    def exists(text: str) -> bool:
        """Whether there is a storage to open; where there is none, `create` would make it. Changes nothing.

        Raises:
            StorageError: If there is none and none can be made: no folder, no server, or another kind of file.
        """
        url = parse_storage(text)
        if _is_new(url):
            return False
        with storage_errors(url):
            return _version(url) is not None

    @staticmethod
    def is_writable(text: str) -> bool:
        """Whether a storage can be opened for writing, as far as its file and folder tell."""
        return is_writable(parse_storage(text))

    @property
    def name(self) -> str:
        """The storage as it may be shown: a path for SQLite, a URL without password for PostgreSQL."""
        return shown(self.url)

    @property
    def engine(self) -> sqlalchemy.Engine:
        """Engine for our own tables; on SQLite each transaction takes the write lock at once."""
        return self.optuna.engine

    @property
    def read_engine(self) -> sqlalchemy.Engine:
        """Engine that only reads, and never waits for a writer."""
        return self._reader.engine

    def load_study(
        self,
        name: str,
        *,
        sampler: optuna.samplers.BaseSampler | None = None,
        pruner: optuna.pruners.BasePruner | None = None,
    ) -> optuna.Study:
        """The Optuna study of that name, for writing; it gets a UUID if it has none.

        Raises:
            StudyError: If there is none; names the most similar one.
        """
        with storage_errors(self.url):
            place = find_by_name(self.engine, name)
            if place is not None and place.uuid is None:
                give_uuid(self.engine, place)
        return self._load(name, self.optuna, sampler=sampler, pruner=pruner)

    def load_by_uuid(
        self,
        study_uuid: str,
        *,
        sampler: optuna.samplers.BaseSampler | None = None,
        pruner: optuna.pruners.BasePruner | None = None,
    ) -> optuna.Study:
        """The Optuna study of that UUID for writing, whatever it is called now.

        Raises:
            StudyError: If it was deleted.
        """
        return self._load(self._name_of(study_uuid), self.optuna, sampler=sampler, pruner=pruner)

    def read_study(self, name: str) -> optuna.Study:
        """The Optuna study of that name for reading only; finished trials are read from the database just once.

        Raises:
            StudyError: If there is none; names the most similar one.
        """
        with storage_errors(self.url):
            place = find_by_name(self.read_engine, name)
        if place is None or place.uuid is None:
            # Nothing tells such a study from one that was made in its place, with the same id.
            return self._load(name, self._reader)
        known = self._read_studies.get(place.uuid)
        if known is None or known[0] != place:
            known = self._read_studies[place.uuid] = place, self._load(name, self._reader)
        return known[1]

    def read_by_uuid(self, study_uuid: str) -> optuna.Study:
        """The Optuna study of that UUID for reading only, whatever it is called now; see `read_study`.

        Raises:
            StudyError: If it was deleted.
        """
        return self.read_study(self._name_of(study_uuid))

    def study_names(self) -> list[str]:
        """Names of all studies, sorted.

        Raises:
            StorageError: If the database cannot be read.
        """
        with storage_errors(self.url):
            return sorted(optuna.get_all_study_names(self._reader))

    def delete_study(self, name: str) -> None:
        """Delete a study with its trials, and its records and artifacts unless a copy of it shares them.

        Raises:
            StudyError: If there is none of that name.
            StorageError: If the database cannot be written, or its artifacts are in another bucket than is looked in.
        """
        study = self.load_study(name)
        self.artifacts.require_place_of(study)
        study_uuid = uuid_of(study)
        with storage_errors(self.url):
            if not is_copied(self.engine, study_uuid):
                self.artifacts.remove_all(study)
                delete_study_records(self.engine, study_uuid)
            optuna.delete_study(study_name=name, storage=self.optuna)
        self._read_studies.pop(study_uuid, None)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one process at a time into a section that needs several transactions; ends with its process.

        Do not nest it, and hold no transaction of `engine` while waiting for it.
        """
        with exclusive_section(self.url):
            yield

    def close(self) -> None:
        """Close all connections."""
        opened = [self.optuna, *([self._reader] if "_reader" in self.__dict__ else [])]
        for connection in opened:
            connection.remove_session()
            connection.engine.dispose()
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"StudyStorage({redact(self.url)!r})"

    @functools.cached_property
    def _reader(self) -> RDBStorage:
        return self.optuna if self.optuna.heartbeat_interval is None else connect(self.url, writing=False)

    @functools.cached_property
    def _read_studies(self) -> dict[str, tuple[StudyPlace, optuna.Study]]:
        return {}

    def _name_of(self, study_uuid: str) -> str:
        with storage_errors(self.url):
            place = find_by_uuid(self.read_engine, study_uuid)
        if place is None:
            raise StudyError(
                f"The study was deleted from {self.name} meanwhile (its identity is {study_uuid}). Start it again."
            )
        return place.name

    def _load(self, name: str, connection: RDBStorage, **options: Any) -> optuna.Study:
        with storage_errors(self.url):
            try:
                return optuna.load_study(study_name=name, storage=connection, **options)
            except KeyError as error:
                names = optuna.get_all_study_names(connection)
                raise StudyError(
                    f"`study` must be the name of a study in {self.name}. Received {name!r}. "
                    + did_you_mean(name, names, none="There is none in it yet: start one with `styletuner study run`.")
                ) from error


def _artifact_place(url: str) -> ArtifactPlace:
    folder = artifact_folder(url)
    return ArtifactBucket(artifact_address()) if folder is None else ArtifactFolder(folder)


def _is_new(url: str) -> bool:
    path = sqlite_path(url)
    if path is None or path.exists():
        return False
    require_folder(path)
    return True


def _version(url: str) -> str | None:
    with look(url).connect() as connection:
        return version_of(connection)


def _require_tables(url: str) -> str:
    version = _version(url)
    if version is None:
        raise StorageError(
            f"{shown(url)} holds no studies of styletuner. Start one there with `styletuner study run`, or name "
            "another."
        )
    require_known(url, version)
    return version
