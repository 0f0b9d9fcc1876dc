"""Names to things: tables, dotted paths, and what is said about a name nobody knows."""

import subprocess
import sys
from pathlib import Path

import pytest

from foldproof import registry
from foldproof.errors import UnknownName
from foldproof.metrics import accuracy


@pytest.mark.parametrize("seam", registry.SEAMS)
def test_every_name_in_a_table_is_known_and_points_somewhere(seam: str) -> None:
    assert set(registry.SEAMS[seam]) <= set(registry.names(seam))
    for name, target in registry.SEAMS[seam].items():
        assert registry.is_known(seam, name)
        assert registry.is_dotted_path(target)


def test_a_name_of_a_table_and_a_dotted_path_load_the_same_thing() -> None:
    assert registry.load("metrics", "accuracy") is accuracy
    assert registry.load("metrics", "foldproof.metrics:accuracy") is accuracy


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("module:thing", True),
        ("package.module:thing", True),
        ("module", False),
        ("module:", False),
        (":thing", False),
        ("a..b:thing", False),
        ("a b:thing", False),
        ("module:thing.other", False),
        ("C:/folder:thing", False),
    ],
)
def test_a_dotted_path_has_one_form(name: str, *, is_one: bool) -> None:
    assert registry.is_dotted_path(name) is is_one


def test_an_unknown_name_is_told_with_the_nearest_and_all_known_names() -> None:
    assert not registry.is_known("optimizers", "adm")
    with pytest.raises(UnknownName) as caught:
        registry.load("optimizers", "adm")
    assert caught.value.what == "no 'adm' among the optimizers; did you mean 'adam'?"
    known = ", ".join(registry.names("optimizers"))
    assert caught.value.next_step == f"known: {known}; or a dotted path 'your_module:attribute'"


@pytest.mark.parametrize("path", ["foldproof_has_no_such_module:thing", "foldproof.metrics:no_such_thing"])
def test_a_dotted_path_that_leads_nowhere_is_the_users_to_fix(path: str) -> None:
    with pytest.raises(UnknownName, match="cannot load"):
        registry.load("metrics", path)


def test_knowing_a_name_imports_nothing() -> None:
    code = (
        "import sys\nfrom foldproof import registry\n"
        "assert registry.is_known('backbones', 'small_cnn') and registry.is_known('metrics', 'mine:thing')\n"
        "assert not registry.is_known('backbones', 'large_cnn')\n"
        "print([name for name in ('torch', 'mine', 'foldproof.models') if name in sys.modules])\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert out.strip() == "[]"


def test_a_module_in_the_projects_folder_and_an_installed_plugin_are_found(tmp_path: Path) -> None:
    (tmp_path / "site" / "mine-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "mine-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n"
    )
    (tmp_path / "site" / "mine-1.0.dist-info" / "entry_points.txt").write_text(
        "[foldproof.metrics]\nmine = installed:thing\n"
    )
    (tmp_path / "site" / "installed.py").write_text("thing = 'installed'\n")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "local.py").write_text("thing = 'local'\n")
    code = (
        "import sys\nfrom pathlib import Path\nfrom foldproof import registry\n"
        "assert 'mine' in registry.names('metrics') and registry.is_known('metrics', 'mine')\n"
        "registry.make_importable(Path(sys.argv[1])); registry.make_importable(Path(sys.argv[1]))\n"
        "assert sys.path.count(sys.argv[1]) == 1\n"
        "print(registry.load('metrics', 'mine'), registry.load('metrics', 'local:thing'))\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "project")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": str(tmp_path / "site")},
    ).stdout
    assert out.split() == ["installed", "local"]


def in_a_new_python(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-P", "-c", code, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_projects_folder_is_searched_last_once_and_only_for_dotted_paths(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom foldproof import registry\n"
        "folder, before = Path(sys.argv[1]), list(sys.path)\n"
        "registry.make_named_importable(folder, ['accuracy', 'auto', 'small_cnn', 'C:/x'])\n"
        "assert sys.path == before\n"
        "registry.make_named_importable(folder, ['accuracy', 'own:thing'])\n"
        "registry.make_importable(folder)\n"
        "assert sys.path == [*before, str(folder)]\n"
    )
    in_a_new_python(code, str(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch", "jinja2", "mlflow", "types", "signal", "enum", "operator", "numpy", "sys"])
def test_a_file_of_the_project_stands_for_no_module_that_is_installed(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('it ran')\n")
    code = (
        "import sys\nfrom pathlib import Path\nfrom foldproof import registry\n"
        "from foldproof.errors import UnknownName\n"
        "registry.make_importable(Path(sys.argv[1]))\n"
        "try:\n    registry.load('metrics', f'{sys.argv[2]}:no_such_thing')\n"
        "except UnknownName as error:\n    print(error.next_step)\n"
    )
    assert f"rename the project's own '{name}'" in in_a_new_python(code, str(tmp_path), name)
