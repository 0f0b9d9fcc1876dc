"""Settings: read once, checked once, everything wrong said at once."""

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foldproof import registry
from foldproof.cli.main import run_command
from foldproof.config.check import _MUST_BE, sections
from foldproof.config.read import ProjectSettings, load_settings, resolved
from foldproof.config.schema import ExecutionConfig, FoldSettings, PixelSettings, Settings, TrainSettings, leaf_keys
from foldproof.config.yaml_lines import parse, scalar
from foldproof.errors import SettingsError

FULL = """\
version: 1
data: {path: data/train, image_size: 28, resize: squash}
folds: {k: 5, seed: 42}
train: {backbone: small_cnn, optimizer: adam, lr: 0.001, batch_size: 32, epochs: 2, seed: 42}
experiments:
  FirstRun: {}
  Run_5_Epochs: {train: {epochs: 5}}
  Run_High_LR: {train: {epochs: 5, lr: 1e-2}, folds: {k: 3}, data: {image_size: 32}}
tracking: {uri: "sqlite:///mlflow.db", experiment: digits}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def load(folder: Path, text: str | bytes, *overrides: str, name: str = "params.yaml") -> ProjectSettings:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_settings(file, overrides=overrides)


def refused(folder: Path, text: str | bytes, *overrides: str, name: str = "params.yaml") -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(folder, text, *overrides, name=name)
    return caught.value


def test_an_experiment_is_the_shared_sections_with_its_own_changes_in_the_order_of_the_file(folder: Path) -> None:
    loaded = load(folder, FULL)
    first, five, high = loaded.experiments
    assert [config.name for config in loaded.experiments] == ["FirstRun", "Run_5_Epochs", "Run_High_LR"]
    assert (first.train.epochs, five.train.epochs, high.train.epochs) == (2, 5, 5)
    assert (first.train.lr, five.train.lr, high.train.lr) == (0.001, 0.001, 0.01)
    assert (first.folds.k, high.folds.k) == (5, 3)
    assert (first.pixels.image_size, high.pixels.image_size) == (28, 32)
    assert loaded.settings.tracking.experiment == "digits"
    assert loaded.file == folder / "params.yaml"


def test_what_a_file_does_not_say_has_its_default(folder: Path) -> None:
    loaded = load(folder, "version: 1\n")
    assert loaded.settings == Settings()
    assert loaded.execution == ExecutionConfig()
    (only,) = loaded.experiments
    assert (only.name, only.train, only.folds, only.pixels) == (
        "default",
        TrainSettings(),
        FoldSettings(),
        PixelSettings(),
    )


@pytest.mark.parametrize("text", ["train:\n", "experiments:\n", "experiments: {}\n", "experiments: {default: }\n"])
def test_an_empty_section_changes_nothing(folder: Path, text: str) -> None:
    assert load(folder, text).experiments == load(folder, "version: 1\n").experiments


def test_the_text_is_yaml_1_2_so_that_no_is_a_text_and_1e_3_a_number(folder: Path) -> None:
    loaded = load(folder, "train: {lr: 1e-3, backbone: no}\nexperiments: {no: {}, 010: {}, 2024-01-01: {}}\n")
    assert loaded.settings.train.lr == 0.001
    assert loaded.settings.train.backbone == "no"
    assert [config.name for config in loaded.experiments] == ["no", "010", "2024-01-01"]


def test_a_whole_number_serves_as_a_number_and_becomes_one(folder: Path) -> None:
    lr = load(folder, "train: {lr: 1}\n").settings.train.lr
    assert isinstance(lr, float)
    assert lr == 1.0


def test_anchors_serve_to_say_a_thing_once(folder: Path) -> None:
    loaded = load(folder, "experiments:\n  A: {train: &long {epochs: 9}}\n  B: {train: *long}\n")
    assert [config.train.epochs for config in loaded.experiments] == [9, 9]


def test_set_wins_over_the_experiments_own_settings(folder: Path) -> None:
    loaded = load(folder, FULL, "train.lr=0.5", "train.epochs=3", "train.epochs=7", "execution.parallel_folds=1")
    assert {config.train.lr for config in loaded.experiments} == {0.5}
    assert {config.train.epochs for config in loaded.experiments} == {7}
    assert loaded.execution.parallel_folds == 1
    assert loaded.settings.train.lr == 0.5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        (" 3 ", 3),
        ("no", "no"),
        ("true", True),
        ("", None),
        ("~", None),
        ("'5'", "5"),
        ('"a # b"', "a # b"),
        ("[a-z]+", "[a-z]+"),
        ("{0: owl, 'a b': null}", {"0": "owl", "a b": None}),
        ("{3}[a-z]", "{3}[a-z]"),
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("a: b", "a: b"),
        ("'a", "'a"),
        ("2024-01-01", "2024-01-01"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_the_value_of_a_set_is_a_scalar_a_list_or_a_mapping(text: str, value: Any) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_all_mistakes_are_told_at_once_each_with_its_line(folder: Path) -> None:
    error = refused(
        folder,
        """\
data: {resize: stretch, image_size: 4}
folds:
  k: 1
train:
  lrr: 0.1
  epochs: "5"
  optimizer: adm
experiments:
  A: {train: {lr: no}}
""",
        "train.seed=-1",
        "lr=3",
    )
    allowed = f"{', '.join(registry.names('optimizers'))}; or 'your_module:attribute'"
    assert error.what.splitlines() == [
        "params.yaml, line 1: data.image_size: must be at least 8 or auto, not 4",
        "params.yaml, line 1: data.resize: must be squash, pad or crop, not 'stretch'",
        "params.yaml, line 3: folds.k: must be at least 2, not 1",
        "params.yaml, line 5: train.lrr: unknown key; did you mean 'lr'?",
        "params.yaml, line 6: train.epochs: must be a whole number, not '5'",
        f"params.yaml, line 7: train.optimizer: must be one of: {allowed}; not 'adm'; did you mean 'adam'?",
        "params.yaml, line 9: experiments.A.train.lr: must be a number, not 'no'",
        "--set lr: unknown key; did you mean 'train.lr'?",
        "and 1 more",
    ]
    assert "\n" not in error.next_step


def test_a_mistake_that_all_experiments_inherit_is_told_once(folder: Path) -> None:
    error = refused(folder, "train: {lr: 0}\nexperiments: {A: {}, B: {}, C: {train: {epochs: 3}}}\n")
    assert error.what == "params.yaml, line 1: train.lr: must be more than 0, not 0"


def test_a_mistake_in_the_file_is_told_although_every_experiment_or_a_set_overrules_it(folder: Path) -> None:
    assert "train.lr" in refused(folder, "train: {lr: -1}\nexperiments: {A: {train: {lr: 1}}}\n").what
    assert "train.lr" in refused(folder, "train: {lr: -1}\n", "train.lr=1").what


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train: {epochs: true}", "must be a whole number, not true"),
        ("train: {epochs: 2.0}", "must be a whole number, not 2.0"),
        ("train: {epochs: 0}", "must be at least 1, not 0"),
        ("train: {lr: '0.1'}", "must be a number, not '0.1'"),
        ("train: {lr: true}", "must be a number, not true"),
        ("train: {lr: }", "must be a number, not empty"),
        ("train: {lr: .nan}", "must be a finite number, not NaN"),
        ("train: {momentum: 1}", "must be less than 1, not 1"),
        ("train: {momentum: .nan}", "must be a finite number, not NaN"),
        ("train: {pretrained: yes}", "must be true or false, not 'yes'"),
        ("train: {pretrained: 1}", "must be true or false, not 1"),
        ("train: {backbone: ''}", "must be text, not empty"),
        ("train: {backbone: {a: 1}}", "must be text, not a mapping"),
        ("train: {backbone: [1, 2]}", "must be text, not a list"),
        (
            "train: {backbone: '__main__:net'}",
            "put it into a file beside the settings, such as own.py, and name own:net",
        ),
        ("experiments: {A: {train: {augment: '__main__:flip'}}}", "and name own:flip"),
        ("compare: {metric: '__main__:kappa'}", "of the script or notebook that runs"),
        ("tracking: {trackers: [console, '__main__:tell']}", "and name own:tell"),
        ("train: {schedule: linear}", f"must be one of: {', '.join(registry.names('schedules'))}"),
        ("train: {augment: lite}", "did you mean 'light'?"),
        ("train: {class_weights: true}", "must be text, not true"),
        ("data: {image_size: true}", "must be a whole number or auto, not true"),
        ("data: {image_size: 5000}", "must be at most 4096 or auto, not 5000"),
        ("data: {group_by: '('}", "not a regular expression"),
        ("data: 5", "must be a mapping of settings"),
        ("folds: {seed: 9223372036854775808}", "must be less than 9223372036854775808"),
        ("folds: {seed: -1}", "must be at least 0, not -1"),
        ("execution: {executor: threads}", f"must be one of: {', '.join(registry.names('executors'))}"),
        ("execution: {device: mps}", "must be auto, cpu, cuda or cuda:N, not 'mps'"),
        ("execution: {parallel_folds: 0}", "must be at least 1 or auto, not 0"),
        ("version: '1'", "must be 1, not '1'"),
        ("version: 0", "must be 1, not 0"),
        ("train.lr: 0.1", "dots are for --set; in the file write train: {lr: …}"),
        ("epochs: 3\ntrain: {}", "unknown key; did you mean 'train.epochs'?"),
        ("train: {zzz: 3}", "unknown key; known: backbone, pretrained,"),
        ("experiments: {A: {train.lr: 1}}", "dots are for --set; in the file write train: {lr: …}"),
        ("experiments: {A: {lr: 1}}", "unknown key; did you mean 'train.lr'?"),
        ("experiments: {A: {data: {path: x}}}", "holds for all experiments; move it to the top"),
        ("experiments: {A: {data: {group_by: parent}}}", "holds for all experiments; move it to the top"),
        ("experiments: {A: {data: {size: 3}}}", "unknown key"),
        ("experiments: {A: {execution: {device: cpu}}}", "holds for all experiments; move it to the top"),
        ("experiments: {A: 5}", "must be a mapping of what the experiment changes"),
        ("experiments: {A: {train: 5}}", "must be a mapping of settings"),
        ("experiments: [A]", "must be a mapping of names"),
        ("experiments: {-A: {}}", "a name has letters, digits"),
        ("experiments: {.A: {}}", "a name has letters, digits"),
        ("experiments: {'a/b': {}}", "a name has letters, digits"),
        ("experiments: {é: {}}", "a name has letters, digits"),
        ("experiments: {con: {}}", "Windows keeps this name for a device"),
        ("experiments: {NUL.2: {}}", "Windows keeps this name for a device"),
        (f"experiments: {{{'x' * 101}: {{}}}}", "a name has letters, digits"),
        ("train: {lr: 1, lr: 2}", "given twice, first on line 1"),
        ("experiments: {A: {}, A: {}}", "given twice, first on line 1"),
        ("train: {lr: !!python/name:os.system 1}", "values of type !!python/name:os.system are not supported"),
        ("train: {lr: !mine 1}", "values of type !mine are not supported"),
        ('train: {backbone: "\\ud800"}', "not a value that can be read"),
        ("train: {lr: " + "9" * 5000 + "}", "not a value that can be read"),
        ("train: {? [a] : 1}", "a key must be a word"),
        ("train: &a {lr: *a}", "too many values, or nested too deeply"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_line_and_what_is_allowed(folder: Path, line: str, said: str) -> None:
    error = refused(folder, f"# a comment\nversion: 1\n{line}\n" if "version" not in line else f"#\n\n{line}\n")
    assert said.replace("line 1", "line 3") in error.what
    assert error.what.startswith("params.yaml, line 3: ")
    assert error.next_step


def test_the_longest_name_of_an_experiment_has_100_characters(folder: Path) -> None:
    assert load(folder, f"experiments: {{{'x' * 100}: {{}}}}\n").experiments[0].name == "x" * 100


@pytest.mark.parametrize("name", ["const", "com", "COM10", "null", "a.con", "lpt"])
def test_a_name_that_only_looks_like_a_device_is_fine(folder: Path, name: str) -> None:
    assert load(folder, f"experiments: {{'{name}': {{}}}}\n").experiments[0].name == name


def test_settings_that_exclude_each_other_are_refused_at_the_line_of_the_later_one(folder: Path) -> None:
    text = "train: {threads: 2}\nexperiments:\n  A: {}\n  B: {train: {portable: true}}\n"
    error = refused(folder, text)
    assert error.what.startswith("params.yaml, line 4: experiments.B.train.portable: ")
    assert "portable needs train.threads: 1" in error.what
    assert "--set train.threads: portable" in refused(folder, "train: {portable: true}\n", "train.threads=2").what
    assert load(folder, "train: {portable: true, threads: 1}\n").settings.train.portable


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("portable: true, precision: bfloat16", "portable needs train.precision: float32"),
        ("portable: true, compile: true", "a compiled model is not portable"),
        ("freeze_backbone: true, compile: true", "compiling it does not pay"),
    ],
)
def test_precision_and_compiling_are_refused_where_they_contradict(train: str, said: str, folder: Path) -> None:
    assert said in refused(folder, f"train: {{{train}}}\n").what


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.lr", "--set train.lr: has no value; write it as key=value"),
        ("train.lr=fast", "--set train.lr: must be a number, not 'fast'"),
        ("train.lr=", "--set train.lr: must be a number, not empty"),
        ("train.lrr=1", "--set train.lrr: unknown key; did you mean 'train.lr'?"),
        ("experiments.A.train.lr=1", "--set experiments.A.train.lr: unknown key"),
        ("version=1", "--set version: belongs in the file only"),
        ("=3", "--set : unknown key"),
    ],
)
def test_a_wrong_set_is_refused_by_its_key(folder: Path, override: str, said: str) -> None:
    error = refused(folder, FULL, override)
    assert error.what.startswith(said)
    assert error.next_step == "`foldproof config` lists every key with its value"


def test_a_password_in_a_wrong_value_is_not_repeated(folder: Path) -> None:
    error = refused(folder, "data: {resize: 'https://me:hunter2@example.org'}\n", "execution.device=token=hunter2")
    assert "hunter2" not in str(error)
    assert "example.org" in str(error)


@pytest.mark.parametrize(
    ("text", "said", "next_step"),
    [
        ("", "params.yaml is empty", "foldproof init"),
        ("# nothing\n", "params.yaml is empty", "foldproof init"),
        ("- 1\n", "params.yaml is not a mapping of settings", "foldproof init"),
        ("hello\n", "params.yaml is not a mapping of settings", "foldproof init"),
        ("train: {lr: [1,\n", "params.yaml, line 2, column 1, is not YAML: expected the node", "fix that line"),
        ("version: 1\n\ttrain: 2\n", "params.yaml, line 2, column 1, is not YAML: found character '\\t'", "fix"),
        ("a: 1\n---\nb: 2\n", "is not YAML: but found another document", "fix that line"),
        (b"version: 1\0", "params.yaml is not YAML: special characters", "fix that line"),
        (b"version: \xff\xfe", "params.yaml is not UTF-8 text", "save it as UTF-8"),
        ("[" * 500, "params.yaml is nested too deeply", "two levels"),
        ("version: 2\nnew_section: {}\n", "params.yaml is of schema version 2; this foldproof reads up to 1", "newer"),
        ("prepare: {split: 0.2}\nfeaturize: {ngrams: 2}\n", "params.yaml is not foldproof's", "foldproof init"),
    ],
)
def test_a_file_that_cannot_be_settings_is_refused_in_one_line(
    folder: Path, text: str | bytes, said: str, next_step: str
) -> None:
    error = refused(folder, text)
    assert said in error.what
    assert "\n" not in error.what
    assert next_step in error.next_step


def test_a_byte_order_mark_is_no_mistake(folder: Path) -> None:
    assert load(folder, b"\xef\xbb\xbftrain: {epochs: 3}\n").settings.train.epochs == 3


def test_a_file_that_is_not_there_or_cannot_be_read_is_said_by_name(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no .*params\.yaml"):
        load_settings(folder / "params.yaml")
    (folder / "foldproof.yaml").mkdir()
    with pytest.raises(SettingsError, match=r"foldproof\.yaml cannot be read"):
        load_settings(folder / "foldproof.yaml")


def test_keys_of_another_tool_in_a_shared_params_file_are_refused_with_the_way_on(folder: Path) -> None:
    error = refused(folder, "train: {lr: 0.1}\nfeaturize: {ngrams: 2}\n")
    assert error.what.startswith("params.yaml, line 2: featurize: unknown key")
    assert "put foldproof's own into foldproof.yaml" in error.next_step
    own = refused(folder, "featurize: {ngrams: 2}\n", name="foldproof.yaml")
    assert own.what.startswith("foldproof.yaml, line 1: featurize: unknown key")
    assert own.next_step == "correct foldproof.yaml, then try again"


def test_a_few_lines_of_aliases_cannot_fill_the_memory() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    flaws = parse(bomb, name="f.yaml").flaws
    assert [flaw.text for flaw in flaws] == ["too many values, or nested too deeply"]


def test_the_resolved_whole_is_itself_a_settings_file_that_means_the_same(folder: Path) -> None:
    from io import StringIO

    from ruamel.yaml import YAML

    loaded = load(folder, FULL, "train.weight_decay=1e-5", "data.group_by=^([a-z]+)_")
    text = StringIO()
    YAML().dump(resolved(loaded), text)
    again = load(folder, text.getvalue())
    assert again == loaded
    assert load(folder, json.dumps(resolved(loaded))) == loaded


def test_the_resolved_whole_names_every_key(folder: Path) -> None:
    content = resolved(load(folder, FULL))
    assert [f"{section}.{name}" for section in sections() for name in content[section]] == [
        key for key in leaf_keys(Settings) if "." in key
    ]
    assert list(content["experiments"]) == ["FirstRun", "Run_5_Epochs", "Run_High_LR"]
    assert "hunter2" not in str(resolved(load(folder, "tracking: {uri: 'http://me:hunter2@host/'}\n")))


def test_every_setting_has_a_description_and_every_default_obeys_its_own_rules(folder: Path) -> None:
    for section in sections():
        for item in dataclasses.fields(getattr(Settings(), section)):
            assert item.metadata["description"], f"{section}.{item.name}"
    assert load(folder, json.dumps(resolved(load(folder, "version: 1\n")))).settings == Settings()


def test_every_kind_of_mistake_that_the_rules_can_find_has_its_words() -> None:
    rules = {"ge": "greater_than_equal", "gt": "greater_than", "le": "less_than_equal", "lt": "less_than"}
    used = {
        rule
        for section in sections()
        for item in dataclasses.fields(getattr(Settings(), section))
        for rule in item.metadata
    }
    assert used <= {
        *rules,
        "description",
        "first_shows",
        "added",
        "seam",
        "words",
        "form",
        "pattern",
        "min_length",
        "allow_inf_nan",
    }
    assert {kind for rule, kind in rules.items() if rule in used} <= set(_MUST_BE)


def test_reading_settings_imports_nothing_heavy() -> None:
    code = (
        "import sys; import foldproof.config.read; "
        "print(sorted({'torch', 'mlflow', 'dvc', 'pydantic', 'ruamel', 'numpy'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert out.strip() == "[]"


def test_the_command_prints_the_whole_or_one_experiment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load(folder, FULL)
    (folder / "deeper").mkdir()
    monkeypatch.chdir(folder / "deeper")
    assert run_command(["config"]) == 0
    printed = parse(capsys.readouterr().out, name="printed").value
    assert printed == resolved(loaded)
    assert run_command(["config", "--json", "--set", "train.lr=0.25"]) == 0
    assert json.loads(capsys.readouterr().out)["train"]["lr"] == 0.25
    assert run_command(["config", "Run_High_LR", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert one == resolved(loaded)["experiments"]["Run_High_LR"]
    assert math.isclose(one["train"]["lr"], 0.01)


def test_the_command_says_which_experiments_there_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load(folder, FULL)
    monkeypatch.chdir(folder)
    assert run_command(["config", "Run_Hihg_LR"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "did you mean 'Run_High_LR'?" in captured.err
    assert "the settings have: FirstRun, Run_5_Epochs, Run_High_LR" in captured.err


def test_tags_are_a_mapping_of_texts_whose_names_are_free_and_whose_secrets_do_not_show(folder: Path) -> None:
    loaded = load(folder, FULL.replace("digits}", "digits, tags: {team: vision, cost centre: '42', api_key: abc}}"))
    assert loaded.settings.tracking.tags == {"team": "vision", "cost centre": "42", "api_key": "abc"}
    assert resolved(loaded)["tracking"]["tags"] == {"team": "vision", "cost centre": "42", "api_key": "***"}
    wrong = {
        "hello": "must be a mapping of names to texts, not 'hello'",
        "{team: 5}": "must be text, not 5",
        "{team: {lead: Ada}}": "must be text, not a mapping",
        "{mlflow.user: Ada}": "'mlflow.user' cannot be a tag",
        "{foldproof.run_id: x}": "'foldproof.run_id' cannot be a tag",
        "{../x: y}": "'../x' cannot be a tag",
    }
    for tags, said in wrong.items():
        assert said in str(refused(folder, FULL.replace("digits}", f"digits, tags: {tags}}}")))


def test_tags_are_no_part_of_what_an_experiment_is(folder: Path) -> None:
    tagged = load(folder, FULL.replace("digits}", "digits, tags: {team: vision}}"))
    assert tagged.experiments == load(folder, FULL).experiments
