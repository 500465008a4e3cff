"""Every error that Runline raises on purpose: one base, eight kinds, each with a stable code.

The class says what kind of thing went wrong and so which HTTP status and exit code it becomes; the
`code` names the exact case for programs; the sentence tells a person what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping


class RunlineError(Exception):
    """Something Runline could not do.

    `code` is a stable snake_case word, `fields` maps a field's name to a sentence about it (empty
    unless a value was refused), `status` is the HTTP status that the server answers with.
    """

    code = "error"
    status = 500

    def __init__(
        self, message: str, *, code: str | None = None, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.fields = dict(fields or {})

    @property
    def message(self) -> str:
        return str(self.args[0])


class NotFound(RunlineError):
    """There is no such run, event or store (`pruned`: there was, and retention removed it)."""

    code = "not_found"
    status = 404


class Conflict(RunlineError):
    """The request contradicts what is already stored."""

    code = "conflict"
    status = 409


class RunEnded(RunlineError):
    """The run has its end event; nothing follows it."""

    code = "run_ended"
    status = 409


class Invalid(RunlineError):
    """A value that Runline cannot accept; `fields` names it."""

    code = "invalid"
    status = 400


class Unauthorized(RunlineError):
    """No token, or one that is not known, expired or revoked."""

    code = "unauthorized"
    status = 401


class Forbidden(RunlineError):
    """The token is good and does not allow this."""

    code = "forbidden"
    status = 403


class StoreFull(RunlineError):
    """The disk under the store is full; nothing of the request was stored."""

    code = "store_full"
    status = 507


class Unavailable(RunlineError):
    """The store cannot answer now (busy, away, closed); the same request may succeed later."""

    code = "unavailable"
    status = 503
