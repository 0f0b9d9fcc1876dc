"""What is secret goes out of a text by its form, its name or its place, and all else stays as it is."""

import base64
import json
import time
from urllib.parse import quote

import pytest

from foldproof.storage import redact, redact_arguments, redact_uris, redact_value
from leaking import FORMS, HONEST


def test_the_tables_are_as_long_as_they_say() -> None:
    assert len(FORMS) >= 51
    assert len(HONEST) >= 60


@pytest.mark.parametrize("text", [text for _, text in FORMS], ids=[what for what, _ in FORMS])
def test_a_secret_does_not_show_and_what_stands_around_it_does(text: str) -> None:
    before, _, rest = text.partition("‹")
    secret, _, after = rest.partition("›")
    shown = redact(before + secret + after)
    assert shown == f"{before}***{after}"
    assert redact(shown) == shown


@pytest.mark.parametrize("text", HONEST)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("frame", ["{}", "error: {}", "x\n{}\ny", '"{}"', "[{}]", "({})", "`{}`", "see {}, please"])
def test_honest_texts_stay_in_any_sentence(frame: str) -> None:
    assert [text for text in HONEST if redact(frame.format(text)) != frame.format(text)] == []


@pytest.mark.parametrize("frame", ["error: {}", "x\n{}\ny", "[{}]", "({})", "see {} please", "\t{}", "> {}"])
def test_a_secret_shows_in_no_sentence(frame: str) -> None:
    shown = {}
    for what, text in FORMS:
        secret = text.partition("‹")[2].partition("›")[0]
        said = redact(frame.format(text.replace("‹", "").replace("›", "")))
        if any(line and line in said for line in secret.split("\n")):
            shown[what] = said
    assert shown == {}


@pytest.mark.parametrize(
    "piece",
    [
        "a-", "token", "token-", "a://", "a://b:c:", "a://b:@c", "@b", "bearer ", "https://a", "token: '", "mysql://a:",
        "mysql://a:b/", "a://b@c:", "password=a,", "password=a&", "?sig=", "Authorization: ", "Authorization: Basic ",
        "Cookie: a=", "eyJ", "eyJaaaaaaaaa.", " eyJaaaaaaaaa.a", "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n",
        "sk-", " sk-a", "sk-A1", "--password ", "mysql -", "mysql -u ", "%3Dtoken%3D", "\\", "\\\\\"", '"', "'",
        "'''token=",
        'token="\\', 'token="\\\\', "<password>", "1//0", "xoxb-", "AKIA", "hooks.slack.com/services/", "-u a:",
        "login a ",
        "login a password ", "api_key: |\n  ", "key", "key=", "Key", "aA", "a.b", "1", "SG.", "dapi0",
        "password: str = ",
        "gh", "ghp_a", "a b", "token,", '"token", "', "AGE-SECRET-KEY-1", "/", ":", "=", "&", "$", "{", "***",
        "a@", "://",
    ],
)  # fmt: skip
def test_a_long_text_takes_time_in_proportion(piece: str) -> None:
    began = time.process_time()
    redact(piece * (200_000 // len(piece)))
    assert time.process_time() - began < 2


SECRET = 'hun/ter "2" ö+x'


@pytest.mark.parametrize(
    "name",
    [
        "STORE_PASSWORD", "AZURE_STORAGE_KEY", "MYSQL_PWD", "GH_PAT", "PGPASSWORD", "AWS_SESSION_TOKEN", "SMTP_PASS",
        "WANDB_API_KEY", "AZURE_SAS", "SENTRY_DSN", "REDISCLI_AUTH", "SIGNING_SIG", "MY_CREDENTIAL", "apiKey",
        "db-secret",
        "API_KEY_2", "PASSWORD",
    ],
)  # fmt: skip
def test_what_a_variable_holds_whose_name_says_secret_shows_in_no_spelling(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, SECRET)
    spelled = [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
    ]
    for text in (*spelled, repr(SECRET)):
        assert "ter" not in redact(f"no entry with {text} to it")
    for user in ("", "a:", "me:", "you:", "somebody:"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            shown = redact(f"sent {encode((user + SECRET).encode()).decode()} to it")
            inner = shown.removeprefix("sent ").removesuffix(" to it")
            assert "***" in inner
            assert len(inner) <= len("***") + 4 * len(user) / 3 + 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN_FILE", "/run/the-file"), ("SSH_AUTH_SOCK", "/run/agent.1"), ("XAUTHORITY", "/home/me/.Xauth"),
        ("KEYBOARD", "qwertyuiop"), ("PWD", "/srv/place"), ("OLDPWD", "/srv/place"), ("GPG_KEY", "0123456789ABCDEF"),
        ("TOKENIZER", "bert-base"), ("SHORT_TOKEN", "epoch"), ("SORT_KEY", "accuracy"), ("AUTH_TYPE", "basic-auth"),
        ("AWS_ACCESS_KEY_ID", "something"), ("COMPASS", "northwest"), ("SSH_ASKPASS", "/usr/bin/ask"), ("PATH",
        "/usr/bin"),
        ("RAY_AUTH_MODE", "token-mode"), ("API_TOKEN", "${REAL_TOKEN}"), ("AUTHOR", "Ada Lovelace"), ("DESIGN",
        "something"),
    ],
)  # fmt: skip
def test_what_another_variable_holds_stays(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert redact(f"see {value} at epoch 1") == f"see {value} at epoch 1"


def test_a_path_that_is_there_is_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", __file__)
    assert redact(f"cannot read {__file__}") == f"cannot read {__file__}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://me:hunter2hunter2@host/db"),
        ("AZURE_STORAGE_CONNECTION_STRING", "AccountName=a;AccountKey=hunter2hunter2;EndpointSuffix=core"),
        ("HTTPS_PROXY", "http://me:hunter2hunter2@proxy:3128"),
        ("MLFLOW_TRACKING_URI", "https://me:hunter2hunter2@mlflow.example.org"),
    ],
)
def test_the_password_inside_a_variable_does_not_show(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert redact("no entry with hunter2hunter2 to it") == "no entry with *** to it"


def test_the_arguments_of_a_command_hold_no_secret() -> None:
    given = [
        "tool",
        "--password",
        "hunter2 hunter2",
        "--epochs",
        "3",
        "--set",
        "tracking.tags.token=hunter2",
        "--token",
    ]
    assert redact_arguments(given) == [
        "tool",
        "--password",
        "***",
        "--epochs",
        "3",
        "--set",
        "tracking.tags.token=***",
        "--token",
    ]
    assert redact_arguments(["foldproof", "run", "Good"]) == ["foldproof", "run", "Good"]


def test_a_value_goes_by_its_name_where_that_says_secret() -> None:
    assert redact_value("api-key", "x") == redact_value("clientSecret", "x") == redact_value("PASSWORD", "x") == "***"
    assert redact_value("tokenizer", "bert") == "bert"
    assert redact_value("key", "accuracy") == "accuracy"


def test_a_diff_loses_the_passwords_of_its_uris_and_nothing_else() -> None:
    assert redact_uris(b"\xff mysql://a:b/c@d \xfe token=x") == b"\xff mysql://a:***@d \xfe token=x"
    code = b'+url = f"postgresql://{user}:{password}@{host}/db"\n+npm = "http://h:80/@scope/p@1"\n'
    assert redact_uris(code) == code
