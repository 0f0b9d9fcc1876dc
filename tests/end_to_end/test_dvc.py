"""Real DVC repositories: what is recorded, whether it is there, and bringing it back."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import draw, draw_classes
from foldproof.cli.main import run_command
from foldproof.data import dvc
from foldproof.data.pull import pull
from foldproof.data.scan import scan
from foldproof.data.versioned import check
from foldproof.errors import DataError


@pytest.fixture
def project(tmp_path):
    """A git and DVC repository whose 18 images in data/train are versioned and pushed to a folder beside it."""
    root = tmp_path / "project"
    draw_classes(root / "data" / "train")
    (root / "params.yaml").write_text("version: 1\ndata: {path: data/train}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    dvc.init(root)
    dvc.add_local_remote(root, "backup", tmp_path / "backup")
    dvc.add(root / "data" / "train")
    dvc.push(root)
    return root


@pytest.fixture
def images(project):
    return project / "data" / "train"


def run_dvc(folder, *arguments):
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, check=True, capture_output=True)


def state(folder):
    return dvc.state_of(folder, scan(folder, cache_dirs=dvc.cache_folders(folder)))


def take_away(project, *, cache=True):
    shutil.rmtree(project / "data" / "train")
    if cache:
        shutil.rmtree(project / ".dvc" / "cache")


def stored(folder, *, lists=False):
    """The objects of a cache or remote: those of files, or the lists of files."""
    found = [path for path in (folder / "files" / "md5").rglob("*") if path.is_file()]
    return sorted(path for path in found if (path.suffix == ".dir") == lists)


def damage(path):
    path.chmod(0o644)
    path.write_bytes(b"other bytes")


def set_url(project, url):
    settings = project / ".dvc" / "config"
    settings.write_text(re.sub("url = .*", f"url = {url}", settings.read_text()))


def assert_pull_fails(folder, *words):
    with pytest.raises(DataError) as raised:
        pull(folder)
    said = str(raised.value)
    assert all(word in said for word in words), said
    assert raised.value.next_step
    assert len(said.splitlines()) <= 3


def test_versioned_images_are_clean_and_have_a_hash_and_a_remote(images):
    found = state(images)
    assert found.state == "clean"
    assert re.fullmatch(r"[0-9a-f]{32}\.dir", found.dvc_hash)
    assert found.path == "data/train.dvc"
    assert found.remote.startswith("'backup' (")
    assert check(found, allow_dirty=False) == ()


def test_an_edit_of_the_same_size_and_time_is_noticed(images):
    image = images / "cat" / "000.png"
    before, content = image.stat(), bytearray(image.read_bytes())
    content[-20] ^= 1
    image.write_bytes(content)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert state(images).changed == ("cat/000.png",)


def test_changed_missing_and_extra_images_are_told_apart(images):
    draw(images / "cat" / "new.png", label=0, number=50)
    assert (state(images).state, state(images).extra) == ("extra", ("cat/new.png",))
    (images / "dog" / "000.png").unlink()
    found = state(images)
    assert (found.state, found.missing, found.extra) == ("dirty", ("dog/000.png",), ("cat/new.png",))


def test_files_that_are_no_images_are_versioned_too_but_extra_ones_do_not_count(images):
    (images / ".DS_Store").write_text("1")
    (images / "cat" / "notes.txt").write_text("1")
    assert state(images).state == "clean"
    dvc.add(images)
    assert state(images).state == "clean"
    (images / "cat" / "notes.txt").write_text("2")
    assert state(images).changed == ("cat/notes.txt",)


def test_a_folder_is_known_by_the_file_of_its_parent(project):
    draw(project / "all" / "train" / "cat" / "a.png", label=0, number=0)
    draw(project / "all" / "test" / "cat" / "b.png", label=0, number=1)
    dvc.add(project / "all")
    known = dvc.recorded(project / "all" / "train")
    assert (known.source, tuple(known.files)) == ("all.dvc", ("cat/a.png",))


def test_a_folder_is_known_by_the_files_of_its_classes(project):
    draw_classes(project / "apart", each=2, classes=("cat", "dog"))
    for name in ("cat", "dog"):
        dvc.add(project / "apart" / name)
    known = dvc.recorded(project / "apart")
    assert sorted(known.files) == ["cat/000.png", "cat/001.png", "dog/000.png", "dog/001.png"]
    assert known.source == "apart/cat.dvc, apart/dog.dvc"
    assert state(project / "apart").state == "clean"


def test_the_output_of_a_pipeline_is_known_by_dvc_lock(project):
    (project / "make.py").write_text("import shutil; shutil.copytree('data/train', 'made')\n")
    run_dvc(project, "stage", "add", "--run", "-n", "make", "-o", "made", f"{sys.executable} make.py")
    assert state(project / "made").state == "clean"
    assert state(project / "made").path == "dvc.yaml"


def test_what_dvc_does_not_know_is_unversioned(project, tmp_path):
    draw_classes(project / "new", each=1)
    draw_classes(tmp_path / "outside", each=1)
    assert state(project / "new").state == "unversioned"
    assert state(tmp_path / "outside").state == "unversioned"
    assert dvc.recorded(tmp_path / "outside") is None


def test_a_lost_list_of_files_leaves_the_hash_and_says_so(project, images, tmp_path):
    for place in (project / ".dvc" / "cache", tmp_path / "backup"):
        stored(place, lists=True)[0].unlink()
    found = state(images)
    assert (found.state, found.dvc_hash[-4:]) == ("unversioned", ".dir")
    assert "not checked" in check(found, allow_dirty=False)[0]


def test_the_list_of_files_comes_from_the_remote_where_the_cache_lacks_it(project, images):
    shutil.rmtree(project / ".dvc" / "cache")
    assert state(images).state == "clean"


def test_images_that_are_links_into_the_cache_are_read_and_clean(project, images):
    before = scan(images).dataset.fingerprint
    run_dvc(project, "config", "cache.type", "symlink")
    run_dvc(project, "checkout", "--relink")
    assert (images / "cat" / "000.png").is_symlink()
    assert state(images).state == "clean"
    assert scan(images).dataset.fingerprint == before


def test_a_file_recorded_by_dvc_2_with_other_line_ends_is_no_change(project):
    folder = project / "old"
    (folder / "cat").mkdir(parents=True)
    draw(folder / "cat" / "a.png", label=0, number=0)
    (folder / "cat" / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    (project / "old.dvc").write_text("outs:\n- path: old\n")
    run_dvc(project, "commit", "--force", "old.dvc")
    legacy = (project / "old.dvc").read_text().replace("  hash: md5\n", "")
    (project / "old.dvc").write_text(legacy)
    known = dvc.recorded(folder)
    assert known.legacy == ("hash: md5" not in legacy)


def test_a_pull_brings_every_file_back_as_it_was(project, images):
    before = scan(images)
    take_away(project)
    pulled = pull(images)
    assert (pulled.files, pulled.extra) == (18, ())
    assert pulled.fetched >= 18
    assert scan(images).md5 == before.md5
    assert pull(images).fetched == 0


def test_a_part_of_a_versioned_folder_is_pulled_alone(project, images):
    take_away(project)
    assert pull(images / "dog").files == 6
    assert [path.name for path in images.iterdir()] == ["dog"]


def test_a_project_and_its_remote_can_move_together(project, tmp_path):
    take_away(project)
    moved = tmp_path.rename(tmp_path.with_name(tmp_path.name + "-moved"))
    assert pull(moved / "project" / "data" / "train").files == 18


def test_a_project_is_found_through_a_link(project, tmp_path):
    (tmp_path / "alias").symlink_to(project)
    assert state(tmp_path / "alias" / "data" / "train").state == "clean"
    take_away(project)
    assert pull(tmp_path / "alias" / "data" / "train").files == 18


def test_a_damaged_object_of_the_remote_is_not_installed(project, images, tmp_path):
    take_away(project)
    good = shutil.copytree(tmp_path / "backup", tmp_path / "good")
    damage(stored(tmp_path / "backup")[0])
    assert_pull_fails(images, "'backup'", str(tmp_path / "backup"), "1 file", "damaged there")
    shutil.rmtree(tmp_path / "backup")
    good.rename(tmp_path / "backup")
    assert pull(images).files == 18


def test_what_a_plain_dvc_pull_installed_damaged_is_found_and_mended(project, images, tmp_path):
    take_away(project)
    good = shutil.copytree(tmp_path / "backup", tmp_path / "good")
    damage(stored(tmp_path / "backup")[0])
    run_dvc(project, "pull")
    assert len(state(images).changed) == 1
    shutil.rmtree(tmp_path / "backup")
    good.rename(tmp_path / "backup")
    assert pull(images).files == 18
    assert state(images).state == "clean"


@pytest.mark.parametrize("lists", [True, False])
def test_a_damaged_cache_is_mended_from_the_remote(project, images, lists):
    take_away(project, cache=False)
    damage(stored(project / ".dvc" / "cache", lists=lists)[0])
    assert pull(images).files == 18
    assert state(images).state == "clean"


def test_a_pull_that_fails_names_the_remote_its_url_and_the_reason(project, images, tmp_path):
    take_away(project)
    missing = stored(tmp_path / "backup")[0]
    missing.rename(tmp_path / "kept")
    assert_pull_fails(images, "'backup'", str(tmp_path / "backup"), "1 file", "not found there")
    shutil.rmtree(tmp_path / "backup")
    shutil.rmtree(project / ".dvc" / "cache")
    assert_pull_fails(images, "'backup'", "the list of files not found there", "dvc push")
    set_url(project, "s3://bucket/images")
    assert_pull_fails(images, "s3://bucket/images", "dvc-s3")
    (project / ".dvc" / "config").write_text("")
    assert_pull_fails(images, "no DVC remote is set", "dvc remote add")


def test_an_unreachable_server_is_the_reason_and_its_password_stays_secret(project, images):
    take_away(project)
    set_url(project, "http://anna:geheim@127.0.0.1:9/images")
    with pytest.raises(DataError, match=r"http://anna:\*\*\*@127\.0\.0\.1:9/images.*[Cc]onnect") as raised:
        pull(images)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("content", ["outs: [", "<<<<<<< HEAD\nouts:\n=======\n"])
def test_a_broken_dvc_file_is_a_data_error_with_its_name(project, images, content):
    (project / "data" / "train.dvc").write_text(content)
    assert_pull_fails(images, "train.dvc")


def test_a_pull_destroys_nothing_that_no_version_holds(project, images):
    (images / "cat" / "000.png").write_bytes(b"a day's work")
    (images / "dog" / "000.png").unlink()
    assert_pull_fails(images, "1 file changed (cat/000.png)", "data add")
    assert (images / "cat" / "000.png").read_bytes() == b"a day's work"


def test_a_pull_leaves_extra_files_alone_and_restores_the_others(project, images):
    draw(images / "cat" / "new.png", label=0, number=50)
    (images / ".DS_Store").write_text("1")
    (images / "dog" / "000.png").unlink()
    assert pull(images).extra == ("cat/new.png",)
    assert (images / "dog" / "000.png").exists()
    assert (images / ".DS_Store").exists()


def test_a_pull_goes_to_an_older_version_and_back(project, images):
    file = project / "data" / "train.dvc"
    old, before = file.read_text(), scan(images).md5
    draw(images / "cat" / "new.png", label=0, number=50)
    (images / "dog" / "000.png").unlink()
    dvc.add(images)
    new, after = file.read_text(), scan(images).md5
    (images / ".DS_Store").write_text("1")
    file.write_text(old)
    assert pull(images).extra == ()
    assert {**scan(images).md5, ".DS_Store": ""} == {**before, ".DS_Store": ""}
    file.write_text(new)
    pull(images)
    assert {**scan(images).md5, ".DS_Store": ""} == {**after, ".DS_Store": ""}


def test_a_pull_that_was_killed_is_completed(project, images):
    for path in sorted(images.rglob("*.png"))[3:]:
        path.unlink()
    (images / "cat" / ".Q7ZpGm1B2rQ5rjJ0m3uVYw.tmp").write_bytes(b"half a file")
    assert pull(images).files == 18
    assert state(images).state == "clean"
    assert not list(images.rglob(".*.tmp"))


def test_a_pull_of_what_dvc_does_not_know_says_what_to_do(project, tmp_path):
    assert_pull_fails(project / "data" / "other", "DVC knows nothing", "data add")
    assert_pull_fails(tmp_path / "outside", "no DVC repository", "foldproof init")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_dvc_would_hang_on_is_not_added(project):
    folder = draw_classes(project / "more", each=1)
    os.mkfifo(folder / "cat" / "pipe.jpg")
    with pytest.raises(DataError, match=r"cat/pipe\.jpg"):
        dvc.add(folder)
    (folder / "cat" / "pipe.jpg").unlink()
    (folder / "cat" / "gone.jpg").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"cat/gone\.jpg"):
        dvc.add(folder)
    assert not (project / "more.dvc").exists()


def test_images_that_git_tracks_already_are_refused_with_dvcs_reason(project):
    draw_classes(project / "tracked", each=1)
    subprocess.run(["git", "add", "tracked"], cwd=project, check=True)
    with pytest.raises(DataError, match="already tracked by SCM"):
        dvc.add(project / "tracked")


def test_nothing_is_printed_and_telemetry_is_off_unless_the_user_set_it(project, images, capfd, monkeypatch):
    monkeypatch.delenv("DVC_NO_ANALYTICS")
    take_away(project)
    pull(images)
    draw(images / "cat" / "new.png", label=0, number=50)
    dvc.add(images)
    dvc.push(project)
    assert state(images).state == "clean"
    assert capfd.readouterr() == ("", "")
    assert os.environ["DVC_NO_ANALYTICS"]
    monkeypatch.setenv("DVC_NO_ANALYTICS", "")
    dvc.recorded(images)
    assert os.environ["DVC_NO_ANALYTICS"] == ""


def test_data_add_counts_the_images_and_stages_what_git_should_know(project, monkeypatch, capsys):
    draw_classes(project / "more", each=2)
    (project / "more" / "notes.txt").write_text("x")
    monkeypatch.chdir(project)
    assert run_command(["data", "add", "more"]) == 0
    said = capsys.readouterr().out
    assert "6  images in 3 classes" in said
    assert "2  cat" in said
    assert "notes.txt (no reader for '.txt')" in said
    staged = ["git", "diff", "--cached", "--name-only"]
    assert "more.dvc" in subprocess.run(staged, cwd=project, capture_output=True, text=True, check=True).stdout


def test_data_add_versions_what_is_not_yet_to_train_on_and_says_so(project, monkeypatch, capsys):
    for part in ("train", "val"):
        draw_classes(project / "parts" / part, each=1)
    monkeypatch.chdir(project)
    assert run_command(["data", "add", "parts"]) == 0
    assert "parts of a data set" in capsys.readouterr().err
    assert (project / "parts.dvc").exists()


def test_data_pull_verifies_and_exits_2_with_a_reason(project, images, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(project)
    take_away(project)
    assert run_command(["data", "pull"]) == 0
    assert "18 files" in capsys.readouterr().out
    take_away(project)
    shutil.rmtree(tmp_path / "backup")
    assert run_command(["data", "pull"]) == 2
    said = capsys.readouterr().err
    assert "'backup'" in said
    assert len(said.strip().splitlines()) <= 3
