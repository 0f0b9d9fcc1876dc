"""The oracle sees every promise that is broken in front of it, and nothing where none is."""

import pytest

from hostile.oracle import How, judge
from hostile.tripwire import Tripwire
from hostile.workshops import Workshop
from hostile.world import World, installed

PLANTED = {
    "write": "changed",
    "write_same_size": "changed",
    "touch": "changed",
    "remove": "changed",
    "make_folder": "changed",
    "change_mode": "changed",
    "swap_for_link": "changed",
    "run_payload": "ran code",
    "change_the_images": "changed",
    "leave_in_tmp": "changed",
    "connect": "connected",
    "send_password": "sent a password",
    "leave_a_process": "left running",
    "leave_a_grandchild": "left running",
    "escape": "raw",
    "bidi": "raw",
    "no_utf8": "raw",
    "hang": "took too much",
    "spin_in_a_child": "took too much",
    "eat_memory": "took too much",
    "eat_memory_in_a_child": "took too much",
    "exit_70": "exit code",
    "raise_error": "traceback",
    "die": "exit code",
    "long_error": "error at length",
    "ask": "asked",
    "show_secret": "showed",
    "take_along": "took along",
}
HONEST = (
    *(("verify", "first"), ("verify", "BUNDLE"), ("reproduce", "BUNDLE"), ("reproduce", "first", "--as-is")),
    *(("diff", "first", "BUNDLE"), ("bundle", "first", "-o", "out.zip"), ("report",), ("compare",), ("runs",)),
    *(("sync",), ("doctor",), ("data", "check"), ("data", "pull"), ("data", "add", "images"), ("init",), ("config",)),
    *(("run", "--plan"), ("run",)),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_a_promise_that_is_broken_is_seen(name: str, world: World, tripwire: Tripwire) -> None:
    may = Workshop((r"\+ project/out\.zip",) if name == "take_along" else (), seconds=3.0)
    argv = (str(tripwire.ports["elsewhere"]),)
    found = judge(world, tripwire, argv, How(call=f"hostile.violations:{name}", workshop=may))
    assert PLANTED[name] in {finding.kind for finding in found.findings}, str(found)


@pytest.mark.slow
def test_where_nothing_is_broken_nothing_is_seen(world: World, tripwire: Tripwire) -> None:
    found = judge(world, tripwire, ("x",), How(call="hostile.violations:keep_all", workshop=Workshop()))
    assert (found.done.code, found.done.out, found.findings) == (0, b"nothing happened\n", ())


@pytest.mark.slow
@pytest.mark.parametrize("argv", HONEST, ids=" ".join)
def test_an_honest_project_breaks_no_promise(argv: tuple[str, ...], world: World, tripwire: Tripwire) -> None:
    found = judge(world, tripwire, tuple(str(world.bundle) if word == "BUNDLE" else word for word in argv))
    assert (found.done.code, found.findings) == (0, ()), str(found)


@pytest.mark.slow
def test_an_honest_project_breaks_no_promise_in_a_process_of_its_own(world: World, tripwire: Tripwire) -> None:
    found = judge(world, tripwire, ("verify", str(world.bundle)), How(program=installed()))
    assert (found.done.code, found.findings) == (0, ()), str(found)
