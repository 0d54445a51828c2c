"""A running dashboard for tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dashboards.server import bind_dashboard
from studies.storage.study_storage import StudyStorage


@contextmanager
def running_dashboard(storage: StudyStorage) -> Iterator[str]:
    """Serves the dashboard in a thread; gives its address."""
    with bind_dashboard(storage, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()
