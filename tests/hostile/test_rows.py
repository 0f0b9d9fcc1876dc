"""What was once done to foldproof, row by row: each holds as a kind, in several forms.

The first two forms of a row run always, all of them with the marker `thorough`.
"""

import random
import re
import socket
import subprocess
from pathlib import Path

import pytest

from hostile import rows_clones, rows_data, rows_limits, rows_records, rows_secrets
from hostile.attack import Attack, Scene, broken
from hostile.tripwire import Tripwire
from hostile.world import World, installed

ROOT = Path(__file__).parents[2]
ALWAYS = 2
pytestmark = pytest.mark.slow


def forms(attacks: tuple[Attack, ...]) -> pytest.MarkDecorator:
    """A case for each form of a row."""
    cases = [
        pytest.param(attack, id=ascii(attack.name)[1:90], marks=[pytest.mark.thorough] if number >= ALWAYS else [])
        for number, attack in enumerate(attacks)
    ]
    return pytest.mark.parametrize("attack", cases)


@pytest.fixture
def scene(world: World, tripwire: Tripwire) -> Scene:
    return Scene(world, tripwire, random.Random(1))


def holds(attack: Attack, scene: Scene) -> None:
    found = broken(attack.carry_out(scene))
    assert not found, f"{attack.target}: {attack.name}\n{found}"


@forms(rows_records.ROW_1)
def test_row_01_no_name_in_a_record_overwrites_an_image_or_an_object_of_the_cache(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_records.ROW_2)
def test_row_02_a_commit_that_a_record_names_runs_nothing_and_fetches_nothing(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_records.ROW_3)
def test_row_03_a_wheel_and_packages_of_a_record_reach_no_installer_unasked(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_data.ROW_4)
def test_row_04_a_path_in_a_list_of_the_remote_is_written_nowhere_else(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_data.ROW_5)
def test_row_05_a_hash_that_is_a_path_removes_nothing(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_data.ROW_6)
def test_row_06_no_pickle_of_an_index_is_read(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_records.ROW_7)
def test_row_07_a_link_in_foldproofs_own_folder_leads_no_sweep_astray(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_data.ROW_8)
def test_row_08_a_link_on_the_way_to_the_images_fills_no_folder_outside(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_records.ROW_9)
def test_row_09_a_bundle_packs_no_file_from_outside(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_records.ROW_10)
def test_row_10_a_commit_is_never_an_option_of_git(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_records.ROW_11)
def test_row_11_whoever_is_asked_for_trust_sees_every_file(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_clones.ROW_12)
def test_row_12_what_the_tab_key_puts_on_the_line_runs_nothing(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


def test_row_13_ui_says_that_it_asks_for_no_password(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*installed(), "ui", "--port", str(port)],
        cwd=world.project,
        env=world.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline() + process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert "password" in first


@forms(rows_secrets.ROW_14)
def test_row_14_no_form_of_a_password_is_shown_kept_or_packed(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_secrets.ROW_15)
def test_row_15_a_password_in_uncommitted_code_is_in_no_bundle_unasked(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_secrets.ROW_16)
def test_row_16_an_anonymous_bundle_names_nobody(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_clones.ROW_17)
def test_row_17_no_filter_or_hook_of_gits_settings_runs(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_clones.ROW_18)
def test_row_18_whoever_only_reads_imports_nothing_of_the_project(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_data.ROW_19)
def test_row_19_no_name_moves_the_cursor(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_limits.ROW_20)
def test_row_20_what_is_small_does_not_grow(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_limits.ROW_21)
def test_row_21_nothing_waits_for_a_pipe_or_reads_without_end(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_limits.ROW_22)
def test_row_22_an_odd_value_gets_a_verdict_or_an_error(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_clones.ROW_23)
def test_row_23_no_credentials_go_to_whom_a_clone_names(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


@forms(rows_data.ROW_24)
def test_row_24_a_backslash_in_a_name_is_a_name(attack: Attack, scene: Scene) -> None:
    holds(attack, scene)


def test_row_25_what_is_installed_to_build_has_a_hash() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert not re.search(r"pip install(?!.*--require-hashes).*uv==", makefile)
    for listed in ROOT.glob("benchmarks/**/requirements*.txt"):
        named = [line for line in listed.read_text().splitlines() if re.match(r"[a-z].*==", line, re.IGNORECASE)]
        assert listed.read_text().count("--hash=sha256:") >= len(named), listed
    for flow in ROOT.glob(".github/workflows/*.y*ml"):
        used = re.findall(r"uses:\s*(\S+)", flow.read_text())
        assert all(re.search(r"@[0-9a-f]{40}$", action) for action in used if not action.startswith("./")), flow
