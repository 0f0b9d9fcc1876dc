"""The committed list of what is not trained on."""

import pytest

from foldproof.data.exclusions import Exclusion, add_exclusions, match_content, read_exclusions, to_csv
from foldproof.errors import DamagedFile

ONE = Exclusion("cat/a, b.png", "cat", "0" * 64, "damaged", 'truncated "here"\nand there')
OTHER = Exclusion("dog/é.png", "dog", "f" * 64, "label-conflict", "the same pixels as cat/x.png")


def test_what_is_written_is_read_again_whatever_the_names(tmp_path):
    (tmp_path / "excluded.csv").write_bytes(to_csv([OTHER, ONE]).encode())
    assert read_exclusions(tmp_path / "excluded.csv") == match_content([ONE, OTHER])


def test_the_file_is_sorted_so_that_a_diff_shows_what_is_new():
    assert to_csv([OTHER, ONE]) == to_csv([ONE, OTHER])
    assert to_csv([ONE]).startswith("v,path,label,sha256,code,reason\n1,")


def test_no_file_means_nothing_is_left_out(tmp_path):
    assert read_exclusions(tmp_path / "excluded.csv") == {}


def test_only_what_the_list_lacks_is_added_and_what_a_person_wrote_stays(tmp_path):
    file = tmp_path / "excluded.csv"
    assert add_exclusions(file, [ONE]) == (ONE,)
    file.write_text(file.read_text().replace("truncated", "I looked: truncated"))
    again = Exclusion(ONE.path, ONE.label, ONE.sha256, "damaged", "another reason")
    assert add_exclusions(file, [again, OTHER]) == (OTHER,)
    assert "I looked" in file.read_text()
    before = file.read_text()
    assert add_exclusions(file, [ONE, OTHER]) == ()
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"\(none\)"),
        (b"path,sha256\n", "path, sha256"),
        (b"v,path,label,sha256,code,reason\n1,a\n", "line 2"),
        (b"v,path,label,sha256,code,reason\n2,a,b," + b"0" * 64 + b",damaged,\n", "newer"),
        (b"v,path,label,sha256,code,reason\n1,a,b,12,damaged,\n", "not a SHA-256"),
        (b'v,path,label,sha256,code,reason\n1,"a', "cannot be read"),
        (b"v,path,label,sha256,code,reason\n1,\xff", "cannot be read"),
    ],
)
def test_a_broken_list_is_refused_with_what_is_wrong(tmp_path, content, said):
    (tmp_path / "excluded.csv").write_bytes(content)
    with pytest.raises(DamagedFile, match=said):
        read_exclusions(tmp_path / "excluded.csv")
