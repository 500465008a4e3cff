"""What the handlers of one server share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import runline
from runline.server.hub import Hub
from runline.server.ingest import Ingest
from runline.server.pruning import Pruning
from runline.server.settings import Settings
from runline.server.signin import SignIn
from runline.store.sql_store import SqlStore

if TYPE_CHECKING:
    from runline.server.route import Route


class Server:
    """The whole `store`, not a tenant's view of it; `routes` in the order of their paths."""

    def __init__(self, store: SqlStore, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.version = runline.__version__
        self.hub = Hub(store, settings)
        self.ingest = Ingest(settings)
        self.pruning = Pruning(store, settings.retention)
        self.sign_in = SignIn()
        self.routes: list[Route] = []
