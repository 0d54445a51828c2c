"""Real servers that speak the protocols of S3 and of Google Cloud Storage, in threads of the test's process."""

import importlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from studies.storage.addresses import ARTIFACTS_VARIABLE


@contextmanager
def s3_server() -> Iterator[Callable[[], str]]:
    """Start moto's S3 server and have boto3 use it; yields what makes an empty bucket and returns its name."""
    server = _imported("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "sesame",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)

        def make() -> str:
            name = f"pictures-{uuid.uuid4().hex}"
            _imported("boto3").client("s3").create_bucket(Bucket=name)
            return name

        yield make
    server.stop()


@contextmanager
def google_server() -> Iterator[Callable[[], str]]:
    """The same with the emulator of Google Cloud Storage and Google's driver."""
    server = _imported("gcp_storage_emulator.server").create_server("127.0.0.1", 0, in_memory=True)
    server.start()
    host, port = server._api._httpd.server_address
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://{host}:{port}")

        def make() -> str:
            name = f"pictures-{uuid.uuid4().hex}"
            _imported("google.cloud.storage").Client().create_bucket(name)
            return name

        yield make
    server.stop()


@pytest.fixture(scope="session")
def s3_bucket_maker() -> Iterator[Callable[[], str]]:
    with s3_server() as make:
        yield make


@pytest.fixture(scope="session")
def google_bucket_maker() -> Iterator[Callable[[], str]]:
    with google_server() as make:
        yield make


@pytest.fixture(params=["s3", "gs"])
def bucket_address(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty place in a bucket, which STYLETUNER_ARTIFACTS names."""
    make = request.getfixturevalue({"s3": "s3_bucket_maker", "gs": "google_bucket_maker"}[request.param])
    address = f"{request.param}://{make()}/studies/of mine"
    monkeypatch.setenv(ARTIFACTS_VARIABLE, address)
    return address


def _imported(module: str) -> Any:
    if os.environ.get("CI"):
        return importlib.import_module(module)
    return pytest.importorskip(module)
