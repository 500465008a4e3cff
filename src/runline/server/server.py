"""What the handlers of one server share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import runline
from runline.pipelines.manifest import Manifest, read_manifest
from runline.server.hub import Hub
from runline.server.ingest import Ingest
from runline.server.pages import Pages
from runline.server.pruning import Pruning
from runline.server.settings import Settings
from runline.server.signin import SignIn
from runline.store.sql_store import SqlStore

if TYPE_CHECKING:
    from runline.server.route import Route

_MOST_VIEWS = 1000


class Server:
    """The whole `store`, not a tenant's view of it; `routes` in the order of their paths."""

    def __init__(self, store: SqlStore, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.version = runline.__version__
        self.hub = Hub(store, settings)
        self.ingest = Ingest(settings)
        self.pages = Pages()
        self.pruning = Pruning(store, settings.retention)
        self.sign_in = SignIn()
        self.routes: list[Route] = []
        self.manifest: Manifest | None = None
        """What can be started; None: nobody said where that is written."""
        self.read_manifest()
        self._views: dict[tuple[str | None, str | None], SqlStore] = {}

    def view(self, tenant: str | None, who: str | None) -> SqlStore:
        """The store as that tenant (None: all) sees it, acting as that caller (None: nobody)."""
        found = self._views.get((tenant, who))
        if found is None:
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            found = self.store if tenant is None else self.store.scoped(tenant)
            found = self._views[tenant, who] = found if who is None else found.acting_as(who)
        return found

    def read_manifest(self) -> None:
        """Anew, if there is one."""
        if self.settings.manifest is not None:
            self.manifest = read_manifest(self.settings.manifest, now_ms=self.store.clock.now_ms())
