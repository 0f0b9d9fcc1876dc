"""Real DVC repositories: what is recorded, whether it is there, and bringing it back."""

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

from conftest import draw, draw_classes
from foldproof.cli.main import run_command
from foldproof.data.scan import scan
from foldproof.data.versions import dvc, unfinished
from foldproof.data.versions.add import add
from foldproof.data.versions.pull import pull
from foldproof.data.versions.remote import unpushed
from foldproof.data.versions.unfinished import interrupted
from foldproof.data.versions.versioned import check
from foldproof.errors import DataError


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    """A project and its remote, made once."""
    place = tmp_path_factory.mktemp("pristine")
    root = place / "project"
    draw_classes(root / "data" / "train")
    (root / "params.yaml").write_text("version: 1\ndata: {path: data/train}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    dvc.init(root)
    dvc.add_local_remote(root, "backup", place / "backup")
    dvc.add(root / "data" / "train")
    dvc.push(root)
    return place


@pytest.fixture
def project(tmp_path, pristine):
    """A git and DVC repository whose 18 images in data/train are versioned and pushed to a folder beside it."""
    shutil.copytree(pristine, tmp_path, dirs_exist_ok=True)
    return tmp_path / "project"


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


@pytest.mark.slow
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


@pytest.mark.slow
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


def lose_the_list(project):
    for place in (project / ".dvc" / "cache", project.parent / "backup"):
        for path in stored(place, lists=True):
            path.unlink()


def test_a_lost_list_of_files_is_made_anew_from_the_files_where_it_has_the_recorded_hash(project, images):
    lose_the_list(project)
    assert state(images).state == "clean"
    assert len(stored(project / ".dvc" / "cache", lists=True)) == 1


def test_a_lost_list_of_files_that_those_there_do_not_make_up_stops_a_run(project, images):
    lose_the_list(project)
    draw(images / "cat" / "000.png", label=0, number=90)
    found = state(images)
    assert (found.state, found.dvc_hash[-4:]) == ("dirty", ".dir")
    with pytest.raises(DataError, match="DVC has lost the list of the versioned files"):
        check(found, allow_dirty=False)
    assert "DVC has lost the list" in check(found, allow_dirty=True)[0]


def test_the_list_of_another_version_under_the_name_of_this_one_is_not_believed(project, images):
    draw(images / "cat" / "new.png", label=0, number=50)
    (images / "cat" / "000.png").unlink()
    dvc.add(images)
    dvc.push(project)
    older, newer = sorted(
        stored(project / ".dvc" / "cache", lists=True), key=lambda path: b"new.png" in path.read_bytes()
    )
    newer.chmod(0o644)
    newer.write_bytes(older.read_bytes())
    newer.chmod(0o444)
    assert state(images).state == "clean"
    (images / "cat" / "new.png").unlink()
    assert state(images).missing == ("cat/new.png",)


def test_the_list_of_files_comes_from_the_remote_where_the_cache_lacks_it(project, images):
    shutil.rmtree(project / ".dvc" / "cache")
    assert state(images).state == "clean"


@pytest.mark.slow
def test_images_that_are_links_into_the_cache_are_read_and_clean(project, images):
    before = scan(images).dataset.fingerprint
    run_dvc(project, "config", "cache.type", "symlink")
    run_dvc(project, "checkout", "--relink")
    assert (images / "cat" / "000.png").is_symlink()
    assert state(images).state == "clean"
    assert scan(images).dataset.fingerprint == before


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_data_add_counts_the_images_and_stages_what_git_should_know(project, monkeypatch, capsys):
    draw_classes(project / "more", each=2)
    (project / "more" / "notes.txt").write_text("x")
    monkeypatch.chdir(project)
    assert run_command(["data", "add", "more"]) == 0
    said = capsys.readouterr().out
    assert "6  images in 3 classes" in said
    assert "2  cat" in said
    assert re.search(r"\d errors?, 7 warnings", said)  # the text, and six pictures of 8 pixels
    assert "foldproof data check" in said
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


def aside(project):
    """What lies in the folder for files put aside, by path within it."""
    folder = project / ".foldproof" / "aside"
    return {
        "/".join(path.relative_to(folder).parts[1:]): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_with_force_a_pull_puts_edits_aside_first(project, images, monkeypatch, capsys):
    (images / "cat" / "000.png").write_bytes(b"a day's work")
    draw(images / "cat" / "new.png", label=0, number=50)
    monkeypatch.chdir(project)
    assert run_command(["data", "pull"]) == 2
    assert "--force" in capsys.readouterr().err
    assert run_command(["data", "pull", "--force"]) == 0
    said = capsys.readouterr().err
    assert "1 that no version holds put aside in" in said
    assert str(project / ".foldproof" / "aside") in said
    assert aside(project) == {"cat/000.png": b"a day's work"}
    assert (state(images).changed, state(images).extra) == ((), ("cat/new.png",))


def test_a_refused_pull_touches_nothing_at_all(project, images):
    (images / "cat" / "000.png").write_bytes(b"a day's work")
    (images / "dog" / "000.png").unlink()
    assert_pull_fails(images, "1 file changed (cat/000.png)", "--force")
    assert not (images / "dog" / "000.png").exists()


def test_what_stands_where_a_file_must_be_is_kept_too(project, images, tmp_path):
    (images / "cat" / "000.png").unlink()
    (images / "cat" / "000.png").mkdir()
    (images / "cat" / "000.png" / "notes.txt").write_text("mine")
    shutil.rmtree(images / "dog")
    (tmp_path / "elsewhere").mkdir()
    (images / "dog").symlink_to(tmp_path / "elsewhere")
    shutil.rmtree(images / "eel")
    (images / "eel").write_text("a file")
    assert_pull_fails(images, "3 files", "cat/000.png, dog, eel", "--force")
    pulled = pull(images, force=True)
    assert pulled.kept == ("cat/000.png", "dog", "eel")
    assert state(images).state == "clean"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert aside(project)["cat/000.png/notes.txt"] == b"mine"
    assert aside(project)["eel"] == b"a file"


def test_a_link_to_a_file_elsewhere_is_replaced_only_with_force(project, images, tmp_path):
    (images / "cat" / "000.png").rename(tmp_path / "moved.png")
    (images / "cat" / "000.png").symlink_to(tmp_path / "moved.png")
    assert_pull_fails(images, "cat/000.png", "--force")
    pull(images, force=True)
    assert not (images / "cat" / "000.png").is_symlink()
    assert (tmp_path / "moved.png").exists()


@pytest.mark.slow
def test_a_version_in_which_a_file_became_a_folder_is_gone_to_and_back(project, images):
    file = project / "data" / "train.dvc"
    old, image = file.read_text(), images / "cat" / "000.png"
    image.unlink()
    draw(image / "a.png", label=0, number=70)
    dvc.add(images)
    new = file.read_text()
    for text in (old, new, old):
        file.write_text(text)
        pulled = pull(images)
        assert (state(images).state, pulled.kept) == ("clean", ())


def test_an_edit_of_the_same_size_and_time_is_not_lost_in_going_to_another_version(project, images):
    file, image = project / "data" / "train.dvc", images / "cat" / "000.png"
    older = file.read_text()
    draw(image, label=0, number=60)
    dvc.add(images)
    before, edited = image.stat(), image.read_bytes()[:-1] + b"!"
    with image.open("r+b") as same_inode:
        same_inode.write(edited)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    file.write_text(older)
    assert_pull_fails(images, "cat/000.png", "--force")
    assert image.read_bytes() == edited


@pytest.mark.parametrize("left", [b"", b"half", b"zeros"])
def test_half_a_versioned_file_is_no_edit(images, left):
    image = images / "cat" / "000.png"
    whole = image.read_bytes()
    half = whole[: len(whole) // 2]
    image.write_bytes({b"": b"", b"half": half, b"zeros": half + bytes(9)}[left])
    assert pull(images).kept == ()
    assert image.read_bytes() == whole


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_an_edit_through_a_link_into_the_cache_is_kept_aside_when_the_cache_is_mended(project, images, kind):
    run_dvc(project, "config", "cache.type", kind)
    run_dvc(project, "checkout", "--relink")
    image = images / "cat" / "000.png"
    whole = image.read_bytes()
    image.chmod(0o644)
    with image.open("r+b") as linked:
        linked.write(b"a day's work")
    edited = image.read_bytes()
    assert pull(images).kept == ("cat/000.png",)
    assert image.read_bytes() == whole
    assert aside(project) == {"cat/000.png": edited}
    assert image.is_symlink() == (kind == "symlink")
    assert state(images).state == "clean"


def test_a_pull_says_what_of_another_version_it_removed(project, images, monkeypatch, capsys):
    file = project / "data" / "train.dvc"
    old = file.read_text()
    draw(images / "cat" / "new.png", label=0, number=50)
    dvc.add(images)
    file.write_text(old)
    monkeypatch.chdir(project)
    assert run_command(["data", "pull"]) == 0
    assert "1 of other versions removed: cat/new.png" in capsys.readouterr().err


def test_an_interrupted_pull_is_known_until_one_completes_it(project, images):
    assert not interrupted(images, "pull")
    unfinished.write(project, unfinished.Note(kind="pull", folder="data/train"))
    assert interrupted(images, "pull")
    assert interrupted(images / "cat", "pull")
    assert interrupted(project / "data", "pull")
    assert not interrupted(project / "elsewhere", "pull")
    with unfinished.alone(project):
        assert not interrupted(images, "pull")
    pull(images)
    assert not interrupted(images, "pull")


def test_a_pull_that_could_not_fetch_is_not_called_interrupted(project, images, tmp_path):
    shutil.rmtree(project / ".dvc" / "cache")
    (images / "cat" / "000.png").unlink()
    shutil.rmtree(tmp_path / "backup")
    assert_pull_fails(images, "there is no such folder")
    assert not interrupted(images, "pull")


def test_an_edit_made_after_a_pull_was_interrupted_is_still_the_users(project, images):
    unfinished.write(project, unfinished.Note(kind="pull", folder="data/train"))
    (images / "dog" / "000.png").unlink()
    (images / "cat" / "000.png").write_bytes(b"a day's work")
    assert_pull_fails(images, "1 file changed (cat/000.png)", "--force")


@pytest.mark.slow
def test_two_pulls_at_once_both_end_well(project, images):
    take_away(project)
    command = [sys.executable, "-m", "foldproof", "data", "pull"]
    both = [subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert state(images).state == "clean"


@pytest.mark.slow
def test_a_pull_beside_another_dvc_process_says_so(project, images):
    code = "import sys; from dvc.repo import Repo, lock_repo\n"
    code += "with lock_repo(Repo('.')): print(1, flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code], cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        other.stdout.readline()
        assert_pull_fails(images, "another DVC process is at work", "wait")
        other.stdin.close()


class Answering(http.server.BaseHTTPRequestHandler):
    """A remote that answers every question with one status."""

    status = 404

    def do_GET(self):
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *arguments):
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "credentials are missing or refused"), (403, "credentials"), (404, "not found there"), (500, "500")],
)
def test_what_a_server_answers_is_the_reason(project, images, status, words):
    take_away(project)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Answering,), {"status": status}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        set_url(project, f"http://127.0.0.1:{server.server_port}/images")
        assert_pull_fails(images, f"http://127.0.0.1:{server.server_port}/images", words)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
def test_a_host_that_does_not_exist_is_the_reason(project, images):
    take_away(project)
    set_url(project, "http://no-such-host.invalid/images")
    assert_pull_fails(images, "no-such-host.invalid", "its name leads to no host")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever runs this may read everything")
def test_a_remote_that_may_not_be_read_is_the_reason(project, images, tmp_path):
    take_away(project)
    (tmp_path / "backup").chmod(0)
    try:
        assert_pull_fails(images, "permission")
    finally:
        (tmp_path / "backup").chmod(0o755)


def test_what_the_remote_lacks_is_named(project, images, tmp_path):
    assert unpushed(images) == ()
    draw(images / "cat" / "new.png", label=0, number=50)
    dvc.add(images)
    assert unpushed(images) == ("cat/new.png", "train (the list of files)")
    shutil.rmtree(project / ".dvc" / "cache" / "files")
    dvc.push(project)
    assert "cat/new.png" in unpushed(images)
    (project / ".dvc" / "config").write_text("")
    assert unpushed(images) is None
    assert unpushed(tmp_path / "outside") is None


def test_a_server_that_cannot_be_asked_what_it_has_is_an_error(project, images):
    set_url(project, "http://127.0.0.1:9/images")
    with pytest.raises(DataError, match=r"cannot ask the remote 'backup'"):
        unpushed(images)


def test_links_that_dvc_would_follow_are_not_added(project, tmp_path):
    folder = draw_classes(project / "more", each=1)
    draw_classes(tmp_path / "elsewhere", each=1)
    (folder / "bee").symlink_to(tmp_path / "elsewhere" / "cat")
    with pytest.raises(DataError, match=r"links.*: bee"):
        add(folder)
    (folder / "bee").unlink()
    (folder / "cat" / "linked.png").symlink_to(tmp_path / "elsewhere" / "cat" / "000.png")
    with pytest.raises(DataError, match=r"links.*: cat/linked\.png"):
        add(folder)
    (folder / "cat" / "linked.png").unlink()
    (folder / "loop").symlink_to(folder)
    with pytest.raises(DataError, match=r"links.*: loop"):
        add(folder)
    assert not (project / "more.dvc").exists()


@pytest.mark.slow
def test_links_of_dvcs_own_are_added(project, images):
    run_dvc(project, "config", "cache.type", "symlink")
    run_dvc(project, "checkout", "--relink")
    draw(images / "cat" / "new.png", label=0, number=50)
    add(images)
    assert state(images).state == "clean"


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="every name is UTF-8 here")
def test_a_name_that_is_not_utf_8_is_not_added(project):
    folder = draw_classes(project / "more", each=1)
    (folder / "cat" / "000.png").rename(os.fsdecode(os.fsencode(folder / "cat") + b"/\xff.png"))
    with pytest.raises(DataError, match="not UTF-8"):
        add(folder)


def test_images_that_dvcignore_leaves_out_are_not_left_out_in_silence(project):
    folder = draw_classes(project / "more", each=1)
    (project / ".dvcignore").write_text("eel\n*.tmp\n")
    (folder / "cat" / "x.tmp").write_text("1")
    with pytest.raises(DataError, match=r"1 file.*\.dvcignore leaves out eel/000\.png"):
        add(folder)
    (project / ".dvcignore").write_text("*.tmp\n")
    add(folder)
    assert state(folder).state == "clean"


@pytest.mark.slow
def test_an_edit_that_dvc_cannot_see_is_versioned_as_it_is(project, images):
    dvc.add(images)  # DVC remembers hashes by inode, size and time
    image = images / "cat" / "000.png"
    before, edited = image.stat(), image.read_bytes()[:-1] + b"!"
    with image.open("r+b") as same_inode:
        same_inode.write(edited)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    dvc.add(images)
    assert state(images).changed == ("cat/000.png",)
    add(images)
    assert state(images).state == "clean"
    image.unlink()
    pull(images)
    assert image.read_bytes() == edited


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["copy", "symlink", "hardlink"])
def test_adding_mends_a_cache_whose_object_is_damaged_and_keeps_the_image(project, images, kind):
    run_dvc(project, "config", "cache.type", kind)
    run_dvc(project, "checkout", "--relink")
    image = images / "cat" / "000.png"
    oid = dvc.recorded(images).files["cat/000.png"]
    cached = project / ".dvc" / "cache" / "files" / "md5" / oid[:2] / oid[2:]
    before = cached.stat()
    cached.chmod(0o644)
    with cached.open("r+b") as object_:
        object_.write(b"other")
    cached.chmod(0o444)
    os.utime(cached, ns=(before.st_atime_ns, before.st_mtime_ns))
    content = image.read_bytes()
    add(images)
    assert image.read_bytes() == content
    assert state(images).state == "clean"
    image.unlink()
    pull(images)
    assert image.read_bytes() == content


def test_an_add_that_was_cut_off_is_completed_without_losing_a_file(project, images):
    before = scan(images).md5
    unfinished.write(project, unfinished.Note(kind="add", folder="data/train", files=dict(before)))
    (images / "cat" / "000.png").unlink()
    (images / "cat" / ".Q7ZpGm1B2rQ5rjJ0m3uVYw.tmp").write_bytes(b"half a file")
    (project / "data" / "train.dvc").write_text("")
    assert interrupted(images, "add")
    assert add(images).restored == ("cat/000.png",)
    assert scan(images).md5 == before
    assert state(images).state == "clean"
    assert not interrupted(images, "add")


def test_a_damaged_object_that_looks_like_another_image_does_not_take_that_one_away(project, images):
    known = dvc.recorded(images).files
    cache = project / ".dvc" / "cache" / "files" / "md5"
    paths = [cache / known[name][:2] / known[name][2:] for name in ("cat/001.png", "dog/005.png")]
    paths[1].chmod(0o644)
    paths[1].write_bytes(paths[0].read_bytes())
    (images / "dog" / "005.png").unlink()
    assert pull(images).kept == ()
    assert state(images).state == "clean"
