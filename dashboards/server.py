"""Serves optuna-dashboard on a study storage, each trial with its pictures."""

import errno
import ipaddress
import socket
import sys
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any, final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dashboards.application import DashboardApplication
from dashboards.errors import ServeError
from studies.errors import StorageError
from studies.storage.study_storage import StudyStorage

DEFAULT_HOST = "127.0.0.1"
# optuna-dashboard's own default, so that its users find ours where they look.
DEFAULT_PORT = 8080
_LAST_PORT = 65535


class DashboardServer(ThreadingMixIn, WSGIServer):
    """A bound WSGI server, one thread per request; `serve_forever()` runs it, `server_close()` frees the port."""

    # Ctrl-C must not wait for a browser that holds a connection open.
    daemon_threads = True

    studies: StudyStorage | None = None
    """Connection that the pages read through; closed together with the server."""

    @property
    def url(self) -> str:
        """Address to open in a browser, with the port that was given by the system where 0 was asked for."""
        host, port = self.server_address[:2]
        name = str(host)
        if ipaddress.ip_address(name).is_unspecified:
            name = "localhost"
        return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"

    def server_close(self) -> None:
        """Frees the port and closes the connection to the studies."""
        super().server_close()
        if self.studies is not None:
            self.studies.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Reports a failed request, but not a browser that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@final
class _ServerOnIPv6(DashboardServer):
    address_family = socket.AF_INET6


@final
class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Drops the line per request, which would bury what the command line prints."""


def _print_at_once(line: str) -> None:
    # A pipe or a log would otherwise hold the address back until the server stops.
    print(line, flush=True)


def serve(
    storage: StudyStorage,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    announce: Callable[[str], None] = _print_at_once,
) -> None:
    """Serves the dashboard until Ctrl-C.

    Args:
        storage: the studies to show; optuna-dashboard can also rename and delete them, and edit notes.
        host: address to listen on. There is no login, so anything but the default opens the studies to the network.
        port: 0 to 65535; 0 takes any free port.
        announce: receives the address, and that it stopped, as lines for a person.

    Raises:
        ServeError: if the port cannot be had, or the storage is gone or cannot be read.
    """
    with bind_dashboard(storage, host=host, port=port) as server:
        announce(f"Dashboard: {server.url}   (Ctrl-C stops it)")
        if not ipaddress.ip_address(str(server.server_address[0])).is_loopback:
            announce("It has no login: whoever reaches this address can see and delete studies.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            announce("Dashboard stopped.")


def bind_dashboard(storage: StudyStorage, *, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> DashboardServer:
    """Opens the storage for reading and binds the port, without serving yet.

    Returns:
        A server to be closed with `server_close()`, or used as a context manager.

    Raises:
        ServeError: if the port cannot be had, or the storage is gone or cannot be read.
    """
    if not 0 <= port <= _LAST_PORT:
        raise ServeError(f"`port` must be between 0 and {_LAST_PORT}. Received {port}.\nPass another one with --port.")
    reader = _open_reader(storage)
    writer = storage if StudyStorage.is_writable(storage.url) else None
    application = DashboardApplication(reader, writer=writer)
    server_class = _ServerOnIPv6 if ":" in host else DashboardServer
    try:
        server = make_server(host, port, application, server_class=server_class, handler_class=_QuietHandler)
    except OSError as error:
        reader.close()
        raise ServeError(_bind_failure(error, host=host, port=port)) from error
    server.studies = reader
    return server


def _open_reader(storage: StudyStorage) -> StudyStorage:
    """A second connection, which takes no write lock to read, so that a page never makes a worker wait."""
    try:
        return StudyStorage.open_read_only(storage.url)
    except StorageError as error:
        raise ServeError(f"The dashboard has nothing to show.\n{error}") from error


def _bind_failure(error: OSError, *, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"`host` must be an address of this machine. Received {host!r}.\nPass another one, such as 127.0.0.1."
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use.\nStop what runs there, or pass another port, such as --port {port + 1}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs more rights than this user has.\nPass one above 1023 with --port."
    return f"Cannot listen on {host} port {port}: {error.strerror}.\nPass another one with --host or --port."
