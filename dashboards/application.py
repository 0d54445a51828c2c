"""optuna-dashboard as a web application that follows what happens to studies beside it."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, final

import optuna
import optuna_dashboard

from dashboards.answering_store import AnsweringStore
from dashboards.note_saving import save_study_notes
from dashboards.study_identities import StudyIdentity, study_identities
from studies.errors import StorageError, StudiesError
from studies.records.study_record import StudyRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_STUDY: Final = re.compile(r"/api/studies/(?P<study>\d+)(/.*)?")
_PICTURE: Final = re.compile(r"/artifacts/(?P<study>\d+)(/(?P<trial>\d+))?/(?P<artifact>[0-9a-fA-F-]+)")
_CREATED: Final = "201"


@final
class DashboardApplication:
    """Serves optuna-dashboard while studies are made, renamed and deleted, there or by other processes.

    optuna-dashboard remembers trials by their study's id, which a new study may inherit: its memory is made anew then.
    It renames a study by making another one, so that the pictures in its notes have other addresses: they are written
    anew. And it breaks over what has been deleted, which is just not found.
    """

    def __init__(self, reader: StudyStorage, *, writer: StudyStorage | None) -> None:
        """Prepare.

        Args:
            reader: Connection that the pages read through.
            writer: The same storage opened for writing; None if it cannot be written, so that nothing may be changed.
        """
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()
        self._identities: Mapping[int, StudyIdentity] = {}
        self._optuna_dashboard = self._made()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        path = str(environ["PATH_INFO"])
        try:
            identities = study_identities(self._reader)
            is_there = self._is_there(path, identities)
        except StorageError as error:
            return _refusal(start_response, "503 Service Unavailable", str(error))
        application = self._remembering(identities)
        if not is_there:
            return _refusal(start_response, "404 Not Found", "It has been deleted.")
        if self._writer is None and environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return _refusal(start_response, "403 Forbidden", f"{self._reader.name} cannot be written.")
        if environ["REQUEST_METHOD"] == "POST" and _STUDY.fullmatch(path) and path.endswith("/rename"):
            return self._rename(application, environ, start_response)
        return application(environ, start_response)

    def _remembering(self, identities: Mapping[int, StudyIdentity]) -> "WSGIApplication":
        """Return an application that remembers nothing of studies that are others by now."""
        with self._lock:
            if any(identities.get(study_id) != known for study_id, known in self._identities.items()):
                self._optuna_dashboard = self._made()
            self._identities = identities
            return self._optuna_dashboard

    def _made(self) -> "WSGIApplication":
        # Finished trials are cached: with 5,000 of them a page answers ten times as fast.
        cached = optuna.storages.get_storage(self._reader.optuna)
        store = AnsweringStore(self._reader.artifacts.store)
        application: WSGIApplication = optuna_dashboard.wsgi(cached, artifact_store=store)
        return application

    def _is_there(self, path: str, identities: Mapping[int, StudyIdentity]) -> bool:
        """Whether the study and trial exist that an address names; of other addresses nothing is known."""
        named = _STUDY.fullmatch(path) or _PICTURE.fullmatch(path)
        if named is None:
            return True
        parts = named.groupdict()
        if int(parts["study"]) not in identities:
            return False
        if parts.get("trial") is not None:
            try:
                with storage_errors(self._reader.url):
                    self._reader.optuna.get_trial_system_attrs(int(parts["trial"]))
            except KeyError:
                return False
        return True

    def _rename(
        self, application: "WSGIApplication", environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        statuses: list[str] = []

        def noting(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return start_response(status, headers, *rest)

        content = b"".join(application(environ, noting))
        if statuses and statuses[0].startswith(_CREATED):
            # The study is renamed whatever becomes of its notes, which the next start writes as well.
            with suppress(StudiesError):
                self._write_notes(json.loads(content)["study_name"])
        return [content]

    def _write_notes(self, study_name: str) -> None:
        if self._writer is not None and StudyRecord.parse(self._writer.read_study(study_name).user_attrs).is_ours:
            save_study_notes(self._writer, study_name)


def _refusal(start_response: "StartResponse", status: str, reason: str) -> list[bytes]:
    """Answer with a reason, which optuna-dashboard shows."""
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps({"reason": reason}).encode()]
