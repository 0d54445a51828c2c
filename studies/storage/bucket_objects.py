"""The objects of a bucket in S3 or in Google Cloud Storage, through the driver of either."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar, final

ASKING_SECONDS: Final = 10.0
"""For so long a request is tried again while the server cannot be reached, so that a person is not kept waiting."""

WRITING_SECONDS: Final = 60.0
"""The same of one that writes: behind it stands a trial that took minutes."""

_PAUSE_SECONDS: Final = 1.0
_TIMEOUTS: Final = (5, 20)
"""Seconds until a connection must stand, and until it must say something."""

_PASSING_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
"""As Google's driver has them in `google.cloud.storage.retry`."""

_Answer = TypeVar("_Answer")


class BucketObjects(ABC):
    """The objects of one bucket."""

    num_removed_at_once: int
    errors: tuple[type[Exception], ...]
    """What the driver raises where the server, the network or the credentials fail."""

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of all objects under a prefix, sorted."""

    @abstractmethod
    def read(self, key: str) -> bytes | None:
        """Content of an object; None if there is none of this key."""

    @abstractmethod
    def write(self, key: str, content: bytes) -> None:
        """Make or replace an object."""

    @abstractmethod
    def copy(self, key: str, copy_key: str) -> bool:
        """Make or replace an object by what another one holds; return whether there is that one."""

    @abstractmethod
    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects, `num_removed_at_once` at most, that need not be there; the bucket must."""

    def has(self, key: str) -> bool:
        """Whether there is an object of this key: by listing, as servers do not say whether the bucket is missing."""
        return next(self.keys(key), None) == key


@final
class S3Objects(BucketObjects):
    """Of a bucket in S3; address and credentials are boto3's: AWS_ENDPOINT_URL, AWS_PROFILE and so on."""

    num_removed_at_once = 1000
    """The most that DeleteObjects takes."""

    def __init__(self, bucket: str) -> None:
        import boto3  # noqa: PLC0415  an extra
        from botocore import exceptions  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        connect_timeout, read_timeout = _TIMEOUTS
        # botocore counts attempts, with pauses at random: how long these take nobody can say.
        config = Config(connect_timeout=connect_timeout, read_timeout=read_timeout, retries={"total_max_attempts": 1})
        self._client: Any = boto3.client("s3", config=config)
        self._bucket = bucket
        self._refusal = exceptions.ClientError
        self._outages = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
        self.errors = (exceptions.BotoCoreError, exceptions.ClientError)

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of all objects under a prefix, sorted."""
        page: Any = {"NextContinuationToken": None}
        while "NextContinuationToken" in page:
            after = page["NextContinuationToken"]
            begun = {} if after is None else {"ContinuationToken": after}
            page = self._patiently(ASKING_SECONDS, self._client.list_objects_v2, Prefix=prefix, **begun)
            yield from (found["Key"] for found in page.get("Contents", ()))

    def read(self, key: str) -> bytes | None:
        """Content of an object; None if there is none of this key."""

        def whole(**named: str) -> bytes:
            content: bytes = self._client.get_object(**named)["Body"].read()
            return content

        try:
            return self._patiently(ASKING_SECONDS, whole, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None

    def write(self, key: str, content: bytes) -> None:
        """Make or replace an object."""
        self._patiently(WRITING_SECONDS, self._client.put_object, Key=key, Body=content)

    def copy(self, key: str, copy_key: str) -> bool:
        """Make or replace an object by what another one holds; return whether there is that one."""
        source = {"Bucket": self._bucket, "Key": key}
        try:
            self._patiently(WRITING_SECONDS, self._client.copy_object, Key=copy_key, CopySource=source)
        except self._refusal as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return False
            raise
        return True

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects that need not be there; the bucket must."""
        named = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        failed = self._patiently(ASKING_SECONDS, self._client.delete_objects, Delete=named).get("Errors")
        if failed:
            raise self._refusal({"Error": failed[0]}, "DeleteObjects")

    def _patiently(self, seconds: float, request: Callable[..., _Answer], **arguments: Any) -> _Answer:
        """Send a request, and for so long again what an outage may have kept from being answered."""
        end = time.monotonic() + seconds
        while True:
            try:
                return request(Bucket=self._bucket, **arguments)
            except (*self._outages, self._refusal) as error:
                response = getattr(error, "response", None) or {}
                status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                passes = isinstance(error, self._outages) or status in _PASSING_STATUSES
                if not passes or time.monotonic() + _PAUSE_SECONDS > end:
                    raise
            time.sleep(_PAUSE_SECONDS)


@final
class GoogleObjects(BucketObjects):
    """Of a bucket in Google Cloud Storage; credentials are Google's own, such as GOOGLE_APPLICATION_CREDENTIALS."""

    num_removed_at_once = 100
    """The most that Google's page on batched requests allows: https://cloud.google.com/storage/docs/batch."""

    def __init__(self, bucket: str) -> None:
        from google.api_core.exceptions import GoogleAPIError, NotFound  # noqa: PLC0415  an extra
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from google.cloud.storage import Client  # noqa: PLC0415
        from google.cloud.storage.exceptions import DataCorruption, InvalidResponse  # noqa: PLC0415
        from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415

        self._client: Any = Client()
        self._bucket: Any = self._client.bucket(bucket)
        self._not_found = NotFound
        self._retry: Any = DEFAULT_RETRY
        self.errors = (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, OSError)

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of all objects under a prefix, sorted."""
        return (blob.name for blob in self._client.list_blobs(self._bucket, prefix=prefix, **self._for(ASKING_SECONDS)))

    def read(self, key: str) -> bytes | None:
        """Content of an object; None if there is none of this key."""
        try:
            content: bytes = self._bucket.blob(key).download_as_bytes(**self._for(ASKING_SECONDS))
        except self._not_found:
            self._require_bucket()
            return None
        return content

    def write(self, key: str, content: bytes) -> None:
        """Make or replace an object."""
        kind = "application/octet-stream"
        self._bucket.blob(key).upload_from_string(content, content_type=kind, **self._for(WRITING_SECONDS))

    def copy(self, key: str, copy_key: str) -> bool:
        """Make or replace an object by what another one holds; return whether there is that one."""
        blob = self._bucket.blob(key)
        try:
            self._bucket.copy_blob(blob, self._bucket, copy_key, **self._for(WRITING_SECONDS))
        except self._not_found:
            self._require_bucket()
            return False
        return True

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects that need not be there; the bucket must."""
        self._require_bucket()
        try:
            self._retry.with_timeout(ASKING_SECONDS)(self._remove_at_once)(keys)
        except self._not_found:
            # A batch is carried out to its end, but tells of one failure only: some are gone, and another may be worse.
            for key in keys:
                self._remove_one(key)

    def _remove_at_once(self, keys: Sequence[str]) -> None:
        with self._client.batch():
            for key in keys:
                self._bucket.delete_blob(key, timeout=_TIMEOUTS)

    def _remove_one(self, key: str) -> None:
        try:
            self._bucket.delete_blob(key, **self._for(ASKING_SECONDS))
        except self._not_found:
            return

    def _require_bucket(self) -> None:
        """Raise what tells of an absent bucket; of an object in one Google says just the same."""
        self.has("styletuner-probe")

    def _for(self, seconds: float) -> dict[str, Any]:
        return {"timeout": _TIMEOUTS, "retry": self._retry.with_timeout(seconds)}
