"""Artifacts as objects of a bucket in S3, in Google Cloud Storage or in what speaks the protocol of either."""

import functools
import io
import re
import shutil
import tempfile
import textwrap
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final, final

from groundwork.whole_files import write_whole
from studies.errors import StorageError
from studies.storage.bucket_objects import BucketObjects, GoogleObjects, S3Objects

_NUM_RECENT: Final = 32
"""Artifacts kept in memory once read: the strips of two trials that a person compares, about a megabyte each."""

_NUM_REASON: Final = 200
"""Letters of what a driver says that a message shows."""

_ADDRESS: Final = re.compile(
    r"(?P<scheme>s3|gs)://(?P<bucket>[a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:/(?P<prefix>[^?#]*))?"
)


@final
class ArtifactBucket:
    """A bucket, or what lies under a prefix in it, that holds artifacts; an `ArtifactPlace` and its Optuna store.

    Its driver is loaded, and its server asked, when the first of them is wanted. Each object is whole or absent.
    """

    restoring = "Set STYLETUNER_ARTIFACTS to where it is, or restore it from an older version of the bucket."

    def __init__(self, address: str) -> None:
        """Name the bucket.

        Args:
            address: "s3://BUCKET/PREFIX" or "gs://BUCKET/PREFIX"; the prefix may be left out.

        Raises:
            StorageError: It is neither.
        """
        parts = _ADDRESS.fullmatch(address)
        if parts is None:
            raise StorageError(
                "`STYLETUNER_ARTIFACTS` must be a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX. Received "
                f"{_without_secrets(address)!r}. Name one of these; credentials are the driver's own settings."
            )
        prefix = (parts["prefix"] or "").strip("/")
        self.folder: Path | None = None
        self.name = "/".join(filter(None, (f"{parts['scheme']}://{parts['bucket']}", prefix)))
        self._prefix = f"{prefix}/" if prefix else ""
        self._extra = parts["scheme"]
        self._bucket = parts["bucket"]
        self._recent = functools.lru_cache(_NUM_RECENT)(self._fetch)

    @property
    def store(self) -> "ArtifactBucket":
        """What Optuna's dashboard reads and writes it through."""
        return self

    def require_usable(self) -> None:
        """List, write, read and remove something small.

        Raises:
            StorageError: The driver is not installed, the bucket is not there, or one of these is not allowed; says
                which.
        """
        probe = f"styletuner-probe-{uuid.uuid4().hex}"
        self.has(probe)
        self.write(probe, io.BytesIO(probe.encode()))
        self.read(probe)
        self.remove(probe)

    def require_space(self, num_bytes: int) -> None:
        """Do nothing: a bucket has no end."""

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact is there.

        Raises:
            StorageError: The bucket cannot be listed.
        """
        with self._telling("list"):
            return self._objects.has(self._prefix + artifact_id)

    def names(self) -> set[str]:
        """Names of everything in it, asked for a thousand at a time.

        Raises:
            StorageError: The bucket cannot be listed.
        """
        with self._telling("list"):
            return {key.removeprefix(self._prefix) for key in self._objects.keys(self._prefix)}

    def read(self, artifact_id: str) -> bytes | None:
        """Read an artifact; None if it is not there.

        Raises:
            StorageError: The bucket cannot be read.
        """
        try:
            return self._recent(artifact_id)
        except KeyError:
            return None

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact for reading.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: If there is no such artifact.
            StorageError: If the bucket cannot be read.
        """
        content = self.read(artifact_id)
        if content is None:
            # Imported late: with it come the drivers of all buckets.
            from optuna.artifacts.exceptions import ArtifactNotFound  # noqa: PLC0415

            raise ArtifactNotFound(f"{artifact_id} is not in {self.name}.")
        return io.BytesIO(content)

    def local_file(self, artifact_id: str) -> Path | None:
        """Fetch an artifact into a file of this process, and return where that lies; None if it is not there."""
        path = self._fetched / artifact_id
        try:
            write_whole(path, self._fetch(artifact_id))
        except KeyError:
            return None
        return path

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Write an artifact.

        Raises:
            StorageError: If the bucket cannot be written.
        """
        with self._telling("write to"):
            self._objects.write(self._prefix + artifact_id, content_body.read())
        self._recent.cache_clear()

    def link(self, artifact_id: str, copy_id: str) -> bool:
        """Have the server copy an object; return whether there is one.

        Raises:
            StorageError: If the bucket cannot be written.
        """
        with self._telling("write to"):
            return self._objects.copy(self._prefix + artifact_id, self._prefix + copy_id)

    def remove(self, artifact_id: str) -> None:
        """Remove an artifact; see `remove_all`."""
        self.remove_all([artifact_id])

    def remove_all(self, artifact_ids: Sequence[str]) -> None:
        """Remove artifacts, many at once; what is not there is fine.

        Raises:
            StorageError: If nothing may be removed from the bucket, or it is not there.
        """
        self._recent.cache_clear()
        with self._telling("remove from"):
            keys = [self._prefix + artifact_id for artifact_id in artifact_ids]
            step = self._objects.num_removed_at_once
            for start in range(0, len(keys), step):
                self._objects.remove(keys[start : start + step])

    def write_error(self, error: OSError) -> StorageError:
        """Say what to do about an object that could not be written."""
        return error if isinstance(error, StorageError) else self._failure("write to", error)

    def _fetch(self, artifact_id: str) -> bytes:
        """Read an artifact, or raise KeyError, which no cache keeps."""
        with self._telling("read"):
            content = self._objects.read(self._prefix + artifact_id)
        if content is None:
            raise KeyError(artifact_id)
        return content

    @cached_property
    def _fetched(self) -> Path:
        folder = tempfile.mkdtemp(prefix="styletuner-artifacts-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    @contextmanager
    def _telling(self, attempt: str) -> Iterator[None]:
        """Turn what the driver raises into StorageError, which says what could not be done."""
        objects = self._objects
        try:
            yield
        except objects.errors as error:
            raise self._failure(attempt, error) from error

    def _failure(self, attempt: str, error: Exception) -> StorageError:
        # Google's driver wraps the last error of those it went on after.
        cause = getattr(error, "cause", None) or error
        reason = (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
        reason = textwrap.shorten(_without_secrets(reason), _NUM_REASON, placeholder=" ...")
        return StorageError(
            f"Cannot {attempt} {self.name}: {reason}. Check the bucket's name, the connection, and that your "
            "credentials may list, read, write and remove, and run the same command again; finished trials are kept."
        )

    @cached_property
    def _objects(self) -> BucketObjects:
        try:
            return S3Objects(self._bucket) if self._extra == "s3" else GoogleObjects(self._bucket)
        except ImportError as error:
            raise StorageError(
                f"Cannot use {self.name}: its driver is not installed. Install it with `pip install "
                f"'styletuner[{self._extra}]'`."
            ) from error
        except Exception as error:
            # Each driver has errors of its own for credentials and settings that it cannot use.
            raise self._failure("use", error) from error


def _without_secrets(text: str) -> str:
    # What stands before an @ may be a key or a password, what stands behind a ? a signature.
    return re.sub(r"(://|^\w+:(?!//)).*@", r"\1***@", text).partition("?")[0]
