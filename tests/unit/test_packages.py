"""Packages and machine."""

import json
import os
import sys
from importlib.metadata import version

import pytest

from foldproof.provenance.machine import available_cores, core_limit, describe, describe_process, memory_limit
from foldproof.provenance.packages import installed


def test_every_installed_package_is_listed_by_its_normalised_name():
    found = installed()
    assert found["numpy"] == version("numpy")
    assert found["ruamel-yaml"] == version("ruamel.yaml")
    assert list(found) == sorted(found)
    assert all(name == name.lower() and value for name, value in found.items())


def test_of_two_packages_with_one_name_the_one_that_is_imported_counts(tmp_path, monkeypatch):
    for number in (1, 2):
        info = tmp_path / str(number) / f"Some_Thing-{number}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Some_Thing\nVersion: {number}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "2"), str(tmp_path / "1"), *sys.path])
    assert installed()["some-thing"] == "2"


def test_the_machine_is_described_in_plain_json():
    found = json.loads(json.dumps(describe()))
    assert found["processor"]
    assert found["hostname"]
    assert 1 <= found["cores_available"] <= found["cores_logical"]
    assert 0 < found["memory_available_bytes"] <= found["memory_bytes"]
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_process_bound_to_one_core_has_one():
    if hasattr(os, "sched_setaffinity"):
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        try:
            assert available_cores() == 1
        finally:
            os.sched_setaffinity(0, before)


def test_a_journal_says_which_process_wrote_it():
    assert describe_process()["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("files", "cores", "memory"),
    [
        ({"cpu.max": "150000 100000", "memory.max": "1048576"}, 1.5, 1048576),
        ({"cpu.max": "max 100000", "memory.max": "max"}, None, None),
        (
            {
                "cpu/cpu.cfs_quota_us": "200000",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": "2048",
            },
            2.0,
            2048,
        ),
        ({"cpu/cpu.cfs_quota_us": "-1", "memory/memory.limit_in_bytes": "9223372036854771712"}, None, None),
        ({}, None, None),
    ],
)
def test_a_container_has_the_share_it_was_given(tmp_path, files, cores, memory):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n")
    assert (core_limit(tmp_path), memory_limit(tmp_path)) == (cores, memory)
