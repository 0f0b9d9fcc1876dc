"""Rows 12, 17, 18, 23: names that a shell reads, git's settings, modules that shadow, servers that a clone names."""

import json

from hostile.attack import Attack, Command, Scene
from hostile.forging import forget_images
from hostile.oracle import PASSWORD, How
from hostile.world import SETTINGS, installed

COMPLETE = """\
eval "$(foldproof completion bash)"
foldproof() { :; }
for words in "run" "compare" "verify" "config" "run -" "compare --metric"; do
    COMP_WORDS=(foldproof $words ''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    _foldproof_completion foldproof '' ''
    for one in "${COMPREPLY[@]}"; do eval "foldproof $words $one"; done
done
"""
BASH = ("/bin/bash", "-c", COMPLETE)


def _experiment(name: str) -> Attack:
    """An experiment in a cloned params.yaml; the Tab key completes it and Enter is pressed."""

    def deed(scene: Scene) -> None:
        shown = name.format(run=scene.payload("completed", language="sh"))
        settings = scene.world.project / "params.yaml"
        settings.write_text(f"{SETTINGS.rsplit('experiments', 1)[0]}experiments: {{{json.dumps(shown)}: {{}}}}\n")

    return Attack("clone", f"an experiment {name}", deed, (("completion",),), How(program=BASH))


def _run_named(name: str) -> Attack:
    """The same of a run that is there."""

    def deed(scene: Scene) -> None:
        shown = name.format(run=scene.payload("completed", language="sh"))
        for run in scene.world.runs.values():
            content = json.loads((run / "run.json").read_text())
            content["experiment"] = content["config"]["name"] = shown
            (run / "run.json").write_text(json.dumps(content))

    return Attack("run folder", f"a run of {name}", deed, (("completion",),), How(program=BASH))


SHELL = ("$({run})", "`{run}`", "x;{run}", "a\n{run}\n", "x'$({run})'", "-x$({run})")
ROW_12 = (*map(_experiment, SHELL), *map(_run_named, SHELL[:3]))

GIT: tuple[Command, ...] = (
    *(("doctor",), ("verify", "first"), ("reproduce", "first", "--fold", "0"), ("run", "--plan"), ("init",)),
    *(("data", "check"), ("data", "add", "images"), ("bundle", "first", "-o", "out.zip")),
)


def _git_setting(key: str, value: str, attributes: str = "") -> Attack:
    """`.git/config` of a folder that came as an archive."""

    def deed(scene: Scene) -> None:
        world = scene.world
        script = world.project / ".git" / "payload"
        script.write_text(f"#!/bin/sh\n{scene.payload('git', language='sh')}\ncat\n")
        script.chmod(0o755)
        world.type(f"git config {key} '{value.format(script=script)}'")
        if attributes:
            (world.project / ".gitattributes").write_text(attributes)
        (world.project / "params.yaml").write_text(SETTINGS + "# changed\n")
        (world.project / "own.py").write_text("x = 1\n")

    return Attack("clone", f"git's {key}", deed, GIT)


def _hook(name: str) -> Attack:
    def deed(scene: Scene) -> None:
        hook = scene.world.project / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{scene.payload(f'hook-{name}', language='sh')}\n")
        hook.chmod(0o755)
        (scene.world.project / "params.yaml").write_text(SETTINGS + "# changed\n")

    return Attack("clone", f"a hook {name}", deed, GIT)


ROW_17 = (
    _git_setting("filter.x.clean", "{script}", "* filter=x\n"),
    _git_setting("filter.x.smudge", "{script}", "* filter=x\n"),
    _git_setting("filter.x.process", "{script}", "* filter=x\n"),
    _git_setting("core.fsmonitor", "{script}"),
    _git_setting("diff.external", "{script}"),
    _git_setting("diff.x.textconv", "{script}", "* diff=x\n"),
    _git_setting("core.hooksPath", "."),
    _git_setting("core.sshCommand", "{script}"),
    _git_setting("core.pager", "{script}"),
    _git_setting("gpg.program", "{script}"),
    _git_setting("core.alternateRefsCommand", "{script}"),
    *map(_hook, ("post-index-change", "post-checkout", "reference-transaction", "pre-commit", "post-commit")),
)

MODULES = (
    *("jinja2", "matplotlib", "sklearn", "scipy", "pandas", "dvc", "mlflow", "torch", "PIL", "yaml", "ruamel", "rich"),
    *("click", "numpy", "pyarrow", "requests", "pydantic", "safetensors", "timm", "torchvision", "IPython", "psutil"),
    *(
        "sitecustomize",
        "usercustomize",
        "foldproof",
        "secrets",
        "csv",
        "zipfile",
        "html",
        "statistics",
        "sqlite3",
        "alembic",
    ),
)
SHADOWED: tuple[Command, ...] = (
    *(("compare",), ("report",), ("runs",), ("diff", "first", "other"), ("data", "check"), ("doctor",)),
    *(("bundle", "first", "-o", "out.zip"), ("verify", "first", "--level", "0"), ("sync",), ("config",), ("init",)),
)


def _modules(scene: Scene) -> None:
    for name in MODULES:
        (scene.world.project / f"{name}.py").write_text(scene.payload(name))
    with (scene.world.project / "params.yaml").open("a") as settings:
        settings.write("compare: {metric: accuracy}\n")
    scene.world.type("git add --all && git commit --quiet --message modules")


def _packages(scene: Scene) -> None:
    for name in MODULES:
        (scene.world.project / name).mkdir()
        (scene.world.project / name / "__init__.py").write_text(scene.payload(name))


def _setting(name: str, old: str, new: str) -> Attack:
    """A name in the settings that leads to code beside them; who only reads does not import it."""

    def deed(scene: Scene) -> None:
        (scene.world.project / "evil.py").write_text(scene.payload("evil") + "def fn(*a, **k):\n    return 0.5\n")
        settings = scene.world.project / "params.yaml"
        settings.write_text(settings.read_text().replace(old, new, 1) if old else settings.read_text() + new)

    commands = (*SHADOWED[:6], ("config",), ("bundle", "first", "-o", "out.zip"), ("sync",))
    return Attack("clone", name, deed, commands)


ROW_18 = (
    Attack("clone", "modules in the root", _modules, SHADOWED, How(program=installed())),
    Attack("clone", "packages in the root", _packages, SHADOWED[:3], How(program=installed())),
    _setting("compare.metric evil:fn", "", "compare: {metric: 'evil:fn'}\n"),
    _setting("train.backbone evil:fn", "small_cnn", "'evil:fn'"),
    _setting("train.optimizer evil:fn", "seed: 5", "seed: 5, optimizer: 'evil:fn'"),
    _setting("execution.executor evil:fn", "inline", "'evil:fn'"),
    _setting("train.augment evil:fn", "seed: 5", "seed: 5, augment: 'evil:fn'"),
    _setting("a range by evil:fn", "image_size: 8", "image_size: 8, reader: 'evil:fn'"),
)


def _tracking(form: str) -> Attack:
    """The user has set credentials for a server of theirs; the clone names another host."""

    def deed(scene: Scene) -> None:
        uri = form.format(address="tracking.example.org")
        settings = scene.world.project / "params.yaml"
        settings.write_text(settings.read_text() + f"tracking: {{uri: {json.dumps(uri)}}}\n")

    environment = {
        "http_proxy": "http://{tracking}",  # so that another host than this machine is asked here
        "MLFLOW_TRACKING_USERNAME": "ada",
        "MLFLOW_TRACKING_PASSWORD": PASSWORD,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",
    }
    commands: tuple[Command, ...] = (("sync",), ("doctor",), ("run", "--plan"), ("config",), ("compare",))
    return Attack("server", f"tracking at {form}", deed, commands, How(environment=environment))


def _dvc_remote(form: str, more: str = "") -> Attack:
    def deed(scene: Scene) -> None:
        url = form.format(address=scene.tripwire.address("remote"), port=scene.tripwire.ports["remote"])
        config = f"[core]\n    remote = store\n['remote \"store\"']\n    url = {url}\n{more}"
        (scene.world.project / ".dvc" / "config").write_text(config)
        forget_images(scene.world)

    commands: tuple[Command, ...] = (
        ("data", "pull"),
        ("data", "check"),
        ("doctor",),
        ("run", "--plan"),
        ("verify", "first"),
    )
    return Attack("clone", f"a remote at {form} {more.strip()}", deed, commands)


ROW_23 = (
    *map(
        _tracking, ("http://{address}", "http://x:y@{address}/z", "databricks://{address}", "postgresql://{address}/db")
    ),
    _dvc_remote("http://{address}/store", "    auth = basic\n    ask_password = true\n    user = ada\n"),
    _dvc_remote("https://{address}/store", "    ask_password = true\n    ssl_verify = false\n"),
    _dvc_remote("ssh://127.0.0.1:{port}/store", "    ask_password = true\n"),
    _dvc_remote("ssh://None/store", "    ask_password = true\n"),
    _dvc_remote("http://{address}/store"),
    _dvc_remote("s3://store/x", "    endpointurl = http://127.0.0.1:9/\n"),
)
