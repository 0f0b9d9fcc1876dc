"""Nothing that stands in a name, a path or a setting reaches a terminal as anything but visible characters."""

import ast
import re
import shutil
from pathlib import Path

import pytest
from rich.text import Text

from conftest import draw
from foldproof.analysis.label_errors import to_csv
from foldproof.cli.main import run_command
from foldproof.events.fold_id import FoldId
from foldproof.storage import cleaned, escaped
from foldproof.trackers.terminal import Terminal
from recorded import INLINE

NAMES = (
    "esc\x1b[31mred", "osc\x1b]0;title\x07", "link\x1b]8;;http://example.org\x1b\\x", "bidi\u202egnp", "iso\u2066late",
    "line\nverdict: HOLDS", "back\x08\x08\x08over", "return\rover", "zero\u200bwidth", "c1\x9b31m", "tag\U000e0041",
    "[red]markup[/red]", "[link=http://example.org]click[/link]", ":skull:", "heap" + "\u0300" * 60, "para\u2029graph",
    "=cmd|' /C calc'!A0", "<script>x</script>", "`code`", "|cell|", "tab\tbed", "mark\u200e",
)  # fmt: skip
SOURCE = Path(__file__).parents[2] / "src" / "foldproof"
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_OURS = re.compile(r"\x1b\[[0-9;]*m")


def obeyed(text: str) -> list[str]:
    """What in a text a terminal would not just show, but for styles."""
    return OBEYED.findall(_OURS.sub("", text))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_spelled_out_for_a_terminal(name):
    assert not obeyed(escaped(name))
    assert not obeyed(cleaned(name, most=200))
    assert "\n" not in cleaned(name, most=200)


@pytest.mark.parametrize(
    "text", ["плат", "猫 と 犬", "Straße", "e\u0301 n\u0303", "ประเทศไทย", "ñandú", "क्षेत्र", "a [b] (c) :d:"]
)
def test_what_people_write_is_shown_as_it_is(text):
    assert escaped(text) == cleaned(text, most=100) == text


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_console_shows_a_name_as_text_and_styles_it_itself(name, capsys):
    console = Terminal(force_terminal=True, width=400)
    console.print(Text(name, style="red"), soft_wrap=True)
    console.print(f"{name} [bold]", soft_wrap=True)
    shown = capsys.readouterr().out
    assert not obeyed(shown)
    assert shown.startswith("\x1b[31m")
    assert "[bold]" in shown
    assert "\x1b]8" not in shown


def test_every_command_prints_through_the_one_way_out():
    """`click.echo`, `print` and rich's own console are called nowhere else."""
    allowed = {"out.py", "terminal.py"}
    for path in [
        *(SOURCE / "cli").glob("*.py"),
        *(SOURCE / "trackers").glob("*.py"),
        *(SOURCE / "notebook").glob("*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and path.name not in allowed:
                called = ast.unparse(node.func)
                assert called not in ("click.echo", "click.secho", "Console", "rich.print"), (path, node.lineno)


def possible(folder: Path, name: str) -> bool:
    try:
        (folder / name).mkdir(parents=True)
    except (OSError, ValueError):
        return False
    return True


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Trained on images in class folders of such names, with files of such names."""
    root = tmp_path_factory.mktemp("named")
    names = [name for name in NAMES if "/" not in name and possible(root / "images", name)]
    for label, name in enumerate(names):
        for number in range(4):
            draw(root / "images" / name / f"{number}{name[-20:]}.png", label=label % 3, number=100 * label + number)
    shutil.copy(next((root / "images" / names[0]).iterdir()), root / "images" / names[1] / f"copy {names[2]}.png")
    (root / "images" / names[3] / f"broken {names[0]}.png").write_bytes(b"no image")
    settings = (
        INLINE.replace("k: 3", "k: 2").replace("epochs: 3", "epochs: 1").replace(", fast: {train: {lr: 0.01}}", "")
    )
    (root / "params.yaml").write_text(settings.replace("version: 1", "version: 1\ntracking: {enabled: false}"))
    return root


COMMANDS = (
    ("data", "check"), ("data", "check", "--all"), ("data", "check", "--json"), ("data", "check", "--exclude"),
    ("try", "images", "--most", "20"), ("init",), ("config",), ("config", "--json"), ("doctor",), ("run", "--plan"),
    ("run", "--again"), ("run", "--again", "--quiet"), ("runs",), ("compare",), ("compare", "--format", "markdown"),
    ("verify", "slow", "--level", "0"), ("diff", "slow", "slow"), ("report",), ("data", "cache"),
    ("config", "\x1b[31m"), ("verify", "\x1b]0;x\x07"), ("run", "--set", "train.lr=\u202e"), ("\x1b[5m",),
)  # fmt: skip


@pytest.mark.slow
def test_no_command_lets_a_name_through_to_the_terminal(project, monkeypatch, capfd):
    monkeypatch.chdir(project)
    for command in COMMANDS:
        code = run_command(list(command))
        out, err = capfd.readouterr()
        assert code in (0, 1, 2), (command, err)
        assert not obeyed(out), (command, out)
        assert not obeyed(err), (command, err)
    for name in ("data-card.md", "report.md"):
        for path in (project / "runs").rglob(name):
            assert not obeyed(path.read_text(encoding="utf-8")), path
            assert "<script>" not in path.read_text(encoding="utf-8")


def test_a_table_for_spreadsheets_holds_no_formula_and_no_control():
    from foldproof.analysis.label_errors import LabelError

    errors = [
        LabelError(
            path=f"{name}/{name}.png", sha256="0" * 64, group="", label=name, suggested=name, own_probability=0.1,
            suggested_probability=0.9, fold_id=FoldId(0, 0),
        )
        for name in NAMES
    ]  # fmt: skip
    content = to_csv({"r": errors})
    joiners_and_white_space = {"\t", "\r", "\u200b", "\U000e0041"}
    assert not set(OBEYED.findall(content)) - joiners_and_white_space
    assert "\n=" not in content
    assert '"=' not in content
