"""Give the simulator the twins, the runtime and a link, as the features have them."""

from tests.features.conftest import (
    app,
    client,
    linked,
    network,
    reviewing,
    runtime,
    settings,
    twins,
    world,
)
from tests.features.invoicing.conftest import synced, work

__all__ = [
    "app", "client", "linked", "network", "reviewing", "runtime", "settings", "synced", "twins",
    "work", "world",
]  # fmt: skip
