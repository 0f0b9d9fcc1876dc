"""`Attack`: what is done to a world and which commands are then typed there; a world in, what they broke out."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from hostile.oracle import Finding, How, Judged, judge
from hostile.tripwire import Tripwire
from hostile.world import World

Command = tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """A world, addresses that nobody may ask, and the choices of this case."""

    world: World
    tripwire: Tripwire
    chance: random.Random

    def payload(self, name: str, *, language: str = "python") -> str:
        """Code that leaves a file in the canary folder where somebody runs it."""
        path = self.world.canary / f"ran-{name}"
        return {
            "python": f"open({str(path)!r}, 'w').close()\n",
            "sh": f"touch {path}",
            "pth": f"import os; open({str(path)!r}, 'w').close()\n",
        }[language]


Deed = Callable[[Scene], object]
Look = Callable[[Scene, Judged], Iterator[Finding]]


def nothing_more(scene: Scene, judged: Judged) -> Iterator[Finding]:
    """The oracle has seen all there is."""
    yield from ()


@dataclass(frozen=True)
class Attack:
    """`commands` may hold BUNDLE, RUN (a folder from elsewhere) and FIRST (a run's id). `look`: what else counts."""

    target: str
    name: str
    deed: Deed
    commands: tuple[Command, ...]
    how: How = field(default_factory=How)
    look: Look = nothing_more

    def carry_out(self, scene: Scene) -> list[Judged]:
        """Do it, type every command, and say what was broken."""
        self.deed(scene)
        return [self.judged(scene, command) for command in self.commands]

    def judged(self, scene: Scene, command: Command) -> Judged:
        asked = scene.tripwire.address("tracking")
        environment = {name: value.replace("{tracking}", asked) for name, value in self.how.environment.items()}
        how = replace(self.how, environment=environment)
        found = judge(scene.world, scene.tripwire, spelled(scene.world, command), how)
        return Judged(found.argv, found.done, (*found.findings, *self.look(scene, found)))


def spelled(world: World, command: Command) -> Command:
    """`command` with what its words stand for."""
    run = next((world.given / "run").iterdir())
    names = {"BUNDLE": str(world.bundle), "RUN": str(run), "FIRST": run.name}
    return tuple(names.get(word, word) for word in command)


def broken(judged: list[Judged]) -> str:
    """All that was found, to be shown; empty where nothing was."""
    return "\n".join(str(one) for one in judged if one.findings)
