"""One server of commands, one world and one tripwire for all cases of a process."""

from collections.abc import Iterator

import pytest

from hostile.server import Server
from hostile.tripwire import Tripwire
from hostile.world import World, Worlds


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    server = Server()
    yield Worlds(tmp_path_factory.mktemp("hostile"), server)
    server.close()


@pytest.fixture
def world(worlds: Worlds) -> World:
    return worlds.fresh()


@pytest.fixture(scope="session")
def tripwire() -> Iterator[Tripwire]:
    wire = Tripwire()
    yield wire
    wire.close()
