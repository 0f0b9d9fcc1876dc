"""Rows 13, 14, 15, 16, 25: passwords, names of people, a server that asks nobody, and where packages come from."""

from collections.abc import Iterator

from PIL import Image

from hostile.attack import Attack, Command, Scene
from hostile.oracle import PASSWORD, Finding, How, Judged
from hostile.world import read_zip

FORMS = (
    f"postgresql://ada:{PASSWORD}/x@127.0.0.1:9/db",
    f"http://ada:{PASSWORD}@127.0.0.1:9/x",
    f"https://127.0.0.1:9/x?sig={PASSWORD}%3D&se=2027",
    f"https://127.0.0.1:9/x?X-Amz-Signature={PASSWORD}",
    f"https://127.0.0.1:9/x?access_token={PASSWORD}",
)
LINES = (
    f"AccountKey={PASSWORD};EndpointSuffix=core.windows.net",
    f"X-Api-Key: {PASSWORD}",
    f"Authorization: Basic {PASSWORD}",
    f'API_KEY = "{PASSWORD}"',
    f"password: {PASSWORD}",
    f"export AWS_SECRET_ACCESS_KEY={PASSWORD}",
)
VARIABLES = (
    "AZURE_STORAGE_KEY",
    "MYSQL_PWD",
    "GH_PAT",
    "MY_TOKEN",
    "DB_PASS",
    "X_CREDENTIAL",
    "SERVICE_SECRET",
    "SAS_SIG",
)
SHOWN: tuple[Command, ...] = (
    ("doctor",),
    ("sync",),
    ("run", "--again", "--quiet", "first"),
    ("bundle", "first", "-o", "out.zip"),
)


def _uri(form: str) -> Attack:
    """The user's own settings file is theirs; what is shown, recorded and sent away is not."""

    def deed(scene: Scene) -> None:
        with (scene.world.project / "params.yaml").open("a") as settings:
            settings.write(f"tracking: {{uri: '{form}'}}\n")
        scene.world.type("git commit --quiet --all --message settings")

    return Attack(
        "secrets", f"tracking.uri {form}", deed, SHOWN, How(environment={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"})
    )


def _typed(form: str) -> Attack:
    def deed(scene: Scene) -> None:
        return None

    typed = ("run", "--again", "--quiet", "first", "--set", f"tracking.uri={form}", "--set", "tracking.enabled=false")
    return Attack("secrets", f"typed {form}", deed, (typed, SHOWN[-1]))


def _variable(name: str) -> Attack:
    """What stands in a variable of such a name stands nowhere else, be it in a path or a message."""

    def deed(scene: Scene) -> None:
        with (scene.world.project / "params.yaml").open("a") as settings:
            settings.write(f"tracking: {{uri: 'http://127.0.0.1:9/{PASSWORD}'}}\n")
        scene.world.type("git commit --quiet --all --message settings")

    environment = {name: PASSWORD, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    return Attack("secrets", f"in {name}", deed, (SHOWN[0], *SHOWN[2:]), How(environment=environment))


ROW_14 = (*map(_uri, FORMS), *map(_typed, FORMS[:3]), *map(_variable, VARIABLES))


def _uncommitted(line: str) -> Attack:
    """Code that was not committed when the run was made; the bundle goes to somebody else."""

    def deed(scene: Scene) -> None:
        world = scene.world
        (world.project / "own.py").write_text("x = 1\n")
        world.type("git add own.py && git commit --quiet --message own")
        (world.project / "own.py").write_text(f"x = 1\n# {line}\n{line}\n")
        done = world.foldproof("run", "--again", "--quiet", "first", seconds=120)
        assert done.code == 0, done.err.decode()

    return Attack(
        "secrets", f"uncommitted {line}", deed, (SHOWN[-1], ("bundle", "first", "--anonymous", "-o", "out.zip"))
    )


ROW_15 = tuple(map(_uncommitted, LINES))
ARTIST, PLACE = "Ada Lovelace of Ockham Park", "Copyright Ada Lovelace"


def _personal(scene: Scene) -> None:
    world = scene.world
    for number, path in enumerate(sorted((world.project / "images").rglob("*.png"))[:3]):
        with Image.open(path) as image:
            exif = Image.Exif()
            exif[0x013B], exif[0x8298] = ARTIST, PLACE
            exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (51.0, 15.0, 4.0 + number)
            image.convert("RGB").save(path.with_suffix(".jpg"), exif=exif)
        path.unlink()
    for argv in (("data", "add", "images"), ("run", "--again", "--quiet", "first")):
        done = world.foldproof(*argv, seconds=120)
        assert done.code == 0, done.err.decode()


def _names_nobody(scene: Scene, judged: Judged) -> Iterator[Finding]:
    """Neither people nor what a search for a commit or a data hash would find them by."""
    path = scene.world.project / "out.zip"
    if not path.exists():
        return
    world = scene.world
    commit = world.type("git rev-parse HEAD").strip()
    hashes = [line.split()[-1] for line in (world.project / "images.dvc").read_text().splitlines() if "md5:" in line]
    told = {
        "the artist": ARTIST,
        "the copyright": PLACE,
        "the commit": commit,
        "DVC's hash": hashes[0].removesuffix(".dir"),
    }
    told |= {"the author": "person@example.org", "the home": str(world.home)}
    for name, content in read_zip(path).items():
        for what, text in told.items():
            if text.encode() in content:
                yield Finding("names somebody", f"{what} in {name}")


def _committed(scene: Scene) -> None:
    done = scene.world.foldproof("run", "--again", "--quiet", "first", seconds=120)
    assert done.code == 0, done.err.decode()


ANONYMOUS: tuple[Command, ...] = (
    ("bundle", "first", "--anonymous", "--images", "-o", "out.zip"),
    ("bundle", "first", "--anonymous", "-o", "out.zip"),
)
ROW_16 = (
    Attack("secrets", "EXIF with an artist and a place", _personal, ANONYMOUS, look=_names_nobody),
    Attack("secrets", "a commit and a data hash", _committed, ANONYMOUS, look=_names_nobody),
)
