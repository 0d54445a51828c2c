"""Errors that `dashboards` raises for input a user can mend. The command line formats them; nothing else does."""


class DashboardsError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class ServeError(DashboardsError, OSError):
    """The dashboard cannot be served."""


class SheetError(DashboardsError, ValueError):
    """There is nothing to draw a contact sheet of."""
