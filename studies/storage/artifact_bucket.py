"""Artifacts as objects of a bucket in S3, in Google Cloud Storage or in what speaks the protocol of either."""

import io
import re
import shutil
import tempfile
import uuid
import warnings
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, final

from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.exceptions import ExperimentalWarning

from groundwork.whole_files import write_whole
from studies.errors import StorageError

MAX_ATTEMPTS: Final = 5
"""Of each request to S3: with botocore's pauses, of up to 20 s, an outage of some seconds passes unseen."""

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60

_ADDRESS: Final = re.compile(
    r"(?P<scheme>s3|gs)://(?P<bucket>[a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:/(?P<prefix>[^?#]*))?"
)


@final
class ArtifactBucket:
    """A bucket, or what lies under a prefix in it, that holds artifacts; an `ArtifactPlace`.

    Its driver is loaded, and its server asked, when the first of them is wanted.
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
            raise _unusable(address)
        self.folder: Path | None = None
        self.name = address
        prefix = (parts["prefix"] or "").strip("/")
        make = S3Objects if parts["scheme"] == "s3" else GoogleObjects
        self.store: BucketArtifactStore = BucketArtifactStore(
            lambda: make(parts["bucket"]), prefix=f"{prefix}/" if prefix else "", name=address
        )

    def require_usable(self) -> None:
        """Write something small and remove it.

        Raises:
            StorageError: The driver is not installed, the bucket is not there, or may not be written.
        """
        probe = f"styletuner-probe-{uuid.uuid4().hex}"
        self.store.write(probe, io.BytesIO(b""))
        self.store.remove(probe)

    def require_space(self, num_bytes: int) -> None:
        """Do nothing: a bucket has no end."""

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact is there.

        Raises:
            StorageError: The bucket cannot be read.
        """
        return self.store.has(artifact_id)

    def names(self) -> set[str]:
        """Names of everything in it, asked for a thousand at a time.

        Raises:
            StorageError: The bucket cannot be read.
        """
        return self.store.names()

    def read(self, artifact_id: str) -> bytes:
        """Read an artifact.

        Raises:
            StorageError: The bucket cannot be read.
        """
        with self.store.open_reader(artifact_id) as stream, self.store.telling():
            return stream.read()

    def local_file(self, artifact_id: str) -> Path:
        """Fetch an artifact that is there into a file of this process, and return where that lies."""
        path = self._fetched / artifact_id
        write_whole(path, self.read(artifact_id))
        return path

    def link(self, _artifact_id: str, _copy_id: str) -> bool:
        """Return that an object has no second name."""
        return False

    def write_error(self, error: OSError) -> StorageError:
        """Say what to do about an object that could not be written."""
        return error if isinstance(error, StorageError) else _failure(self.name, error)

    @cached_property
    def _fetched(self) -> Path:
        folder = tempfile.mkdtemp(prefix="styletuner-artifacts-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)


class BucketObjects(ABC):
    """The objects of one bucket, through Optuna's artifact store for it and the client that this brings."""

    store: Any
    errors: tuple[type[Exception], ...]
    """What the driver raises where the server, the network or the credentials fail."""

    @abstractmethod
    def has(self, key: str) -> bool:
        """Whether there is an object of this key."""

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of all objects under a prefix."""


@final
class S3Objects(BucketObjects):
    """Of a bucket in S3; address and credentials are boto3's: AWS_ENDPOINT_URL, AWS_PROFILE and so on."""

    def __init__(self, bucket: str) -> None:
        import boto3  # noqa: PLC0415  an extra
        from boto3.exceptions import Boto3Error  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from optuna.artifacts import Boto3ArtifactStore  # noqa: PLC0415

        retries: Any = {"max_attempts": MAX_ATTEMPTS, "mode": "standard"}
        config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
        self._client: Any = boto3.client("s3", config=config)
        self._bucket = bucket
        self._client_error = ClientError
        self.store = Boto3ArtifactStore(bucket, client=self._client)
        self.errors = (BotoCoreError, ClientError, Boto3Error)

    def has(self, key: str) -> bool:
        """Whether there is an object of this key."""
        try:
            self._client.head_object(Bucket=self._bucket, Key=key)
        except self._client_error as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004  not found
                return False
            raise
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of all objects under a prefix."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))


@final
class GoogleObjects(BucketObjects):
    """Of a bucket in Google Cloud Storage; credentials are Google's own, such as GOOGLE_APPLICATION_CREDENTIALS."""

    def __init__(self, bucket: str) -> None:
        from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415  an extra
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from google.cloud.storage import Client  # noqa: PLC0415
        from optuna.artifacts import GCSArtifactStore  # noqa: PLC0415

        self._client: Any = Client()
        self._bucket: Any = self._client.bucket(bucket)
        self.store = GCSArtifactStore(bucket, client=self._client)
        self.errors = (GoogleAPIError, GoogleAuthError, OSError)

    def has(self, key: str) -> bool:
        """Whether there is an object of this key."""
        return bool(self._bucket.blob(key).exists())

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of all objects under a prefix."""
        return (blob.name for blob in self._client.list_blobs(self._bucket, prefix=prefix))


@final
class BucketArtifactStore:
    """An Optuna artifact store on what lies under a prefix in a bucket; each object is whole or absent."""

    def __init__(self, connect: Callable[[], BucketObjects], *, prefix: str, name: str) -> None:
        """Prepare the store.

        Args:
            connect: Loads the driver; called once, when the first object is wanted.
            prefix: Stands before each artifact's id.
            name: What messages call it.
        """
        self._connect = connect
        self._prefix = prefix
        self._name = name

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact for reading.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: If there is no such artifact.
            StorageError: If the bucket cannot be read.
        """
        with self.telling():
            stream: BinaryIO = self._objects.store.open_reader(self._prefix + artifact_id)
            return stream

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Write an artifact.

        Raises:
            StorageError: If the bucket cannot be written.
        """
        with self.telling():
            self._objects.store.write(self._prefix + artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Remove an artifact.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: If there is no such artifact.
            StorageError: If the bucket cannot be written.
        """
        if not self.has(artifact_id):
            raise ArtifactNotFound(f"{artifact_id} is not in {self._name}.")
        with self.telling():
            self._objects.store.remove(self._prefix + artifact_id)

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact is there; raises StorageError if the bucket cannot be read."""
        with self.telling():
            return self._objects.has(self._prefix + artifact_id)

    def names(self) -> set[str]:
        """Names of all artifacts; raises StorageError if the bucket cannot be read."""
        with self.telling():
            return {key.removeprefix(self._prefix) for key in self._objects.keys(self._prefix)}

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Turn what the driver raises into StorageError.

        Raises:
            StorageError: Instead of it; says what to do.
        """
        objects = self._objects
        try:
            yield
        except (ArtifactNotFound, StorageError):
            raise
        except objects.errors as error:
            raise _failure(self._name, error) from error

    @cached_property
    def _objects(self) -> BucketObjects:
        extra, _, _ = self._name.partition("://")
        try:
            with warnings.catch_warnings():
                # Optuna's store for Google's buckets is marked experimental since 3.4.
                warnings.simplefilter("ignore", ExperimentalWarning)
                return self._connect()
        except ImportError as error:
            raise StorageError(
                f"Cannot use {self._name}: its driver is not installed. Install it with `pip install "
                f"'styletuner[{extra}]'`."
            ) from error
        except Exception as error:
            # Each driver has errors of its own for credentials and settings that it cannot use.
            raise _failure(self._name, error) from error


def _unusable(address: str) -> StorageError:
    # What stands before an @ may be a key.
    shown = address
    with suppress(ValueError):
        start, end = address.index("://") + 3, address.rindex("@")
        shown = f"{address[:start]}***{address[end:]}"
    return StorageError(
        f"`STYLETUNER_ARTIFACTS` must be a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX. Received {shown!r}. Name "
        "one of these; credentials are the driver's own settings."
    )


def _failure(name: str, error: Exception) -> StorageError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return StorageError(
        f"Cannot use {name}: {reason}. Check the bucket's name, your credentials and the connection, and run the same "
        "command again; finished trials are kept."
    )
