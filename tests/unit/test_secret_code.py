"""Secrets in code that was not committed are found line by line; ordinary code is not taken for one."""

import subprocess
from pathlib import Path

import pytest

from foldproof.storage.secret_code import find_in_diff, mask_secrets, secrets_in_code
from leaking import FORMS, made

SECRET = (
    ("a.py", f'API_KEY = "{made("", 32)}"'),
    ("a.py", 'API_KEY = "0123456789abcdef0123456789abcdef"'),
    ("a.py", "password = 'hunter2hunter2'"),
    ("a.py", "password = 'hunter22'"),
    ("a.py", 'PASSWORD = "Pa$$word!"'),
    ("a.py", 'password: str = "S3cr3t/password+"'),
    ("a.py", 'client = Client(user="me", password="tr0ub4dor&3")'),
    ("a.py", 'config["secret_key"] = "django-insecure-8#k2)x0q"'),
    ("a.py", 'os.environ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'),
    ("a.py", 'os.environ.setdefault("WANDB_API_KEY", "0123456789abcdef01")'),
    ("a.py", f'login(token="{made("hf_", 34)}")'),
    ("a.py", f'api = HfApi("{made("hf_", 34)}")'),
    ("a.py", f"# old: {made('ghp_', 36)}"),
    ("a.py", 'boto3.client("s3", aws_access_key_id="AKIA' + 'IOSFODNN7EXAMPLE")'),
    ("a.py", 'boto3.client("s3", aws_session_token="FwoGZXIvYXdzEBYaD1x")'),
    ("a.py", 'headers = {"Authorization": "Bearer aB3dE5fG7hJ9kL2m"}'),
    ("a.py", 'headers = {"Authorization": "Basic dXNlcjpodW50ZXIy"}'),
    ("a.py", 'headers = {"X-Api-Key": "aB3dE5fG7hJ9"}'),
    ("a.py", 'url = "https://acc.blob.core.windows.net/c?sp=r&sig=aB3dE5fG7hJ9%3D"'),
    ("a.py", 'conn = "AccountName=a;AccountKey=aB3d+E5f/G7hJ9==;EndpointSuffix=core"'),
    ("a.py", 'conn = "Server=h;Uid=me;Pwd=hunter2hunter2;"'),
    ("a.py", 'engine = create_engine("postgresql://me:pa/ss@host/db")'),
    ("a.py", f'openai.api_key = "{made("sk-proj-", 48)}"'),
    ("a.py", f'slack = "https://hooks.slack.com/services/T00000000/B00000000/{made("", 24)}"'),
    ("a.ts", "const clientSecret = 'aB3dE5fG7hJ9kL2m';"),
    ("a.go", 'var apiKey string = "aB3dE5fG7hJ9kL2m"'),
    ("a.ipynb", r'    "api_key = \"aB3dE5fG7hJ9kL2m\"\n",'),
    (".env", "SMTP_PASSWORD=hunter2hunter2"),
    ("conf.yaml", "  password: hunter2hunter2"),
    ("deploy.sh", "export GH_TOKEN=aB3dE5fG7hJ9kL2m"),
    ("a.toml", 'token = "aB3dE5fG7hJ9kL2m"'),
    ("a.json", '  "private_key": "aB3dE5fG7hJ9kL2m",'),
)
HONEST = (
    ("a.py", "token = get_token()"),
    ("a.py", 'key = "image"'),
    ("a.py", 'password = os.environ["DB_PASSWORD"]'),
    ("a.py", 'password = os.getenv("DB_PASSWORD", "")'),
    ("a.py", "def load(path, api_key=None, token=None):"),
    ("a.py", '"token"'),
    ("a.py", 'metric(key="accuracy")'),
    ("a.py", 'metric(key="val_accuracy_epoch_5")'),
    ("a.py", "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased-2018')"),
    ("a.py", 'pad_token = "[PAD]"'),
    ("a.py", 'eos_token = "<|im_end_2|>"'),
    ("a.py", "max_tokens = 4096"),
    ("a.py", "token_embedding = nn.Embedding(30522, 768)"),
    ("a.py", 'cls_token = self.cls_token.expand(x.shape[0], -1, -1)'),
    ("a.py", 'PASSWORD_FIELD = "user_password_2"'),
    ("a.py", 'SECRET_NAME = "projects/lab-2/secrets/db"'),
    ("a.py", 'password = "<your password here>"'),
    ("a.py", 'api_key = "YOUR_API_KEY"'),
    ("a.py", 'api_key = f"{prefix}-{number}"'),
    ("a.py", 'token = "********"'),
    ("a.py", 'token_url = "https://login.example.org/oauth2/v2.0/token"'),
    ("a.py", 'password = getpass("the password of user 12: ")'),
    ("a.py", 'raise ValueError("password: at least 12 characters")'),
    ("a.py", "if password == expected_password_2:"),
    ("a.py", 'secrets = load("secrets/prod-2.json")'),
    ("a.py", 'PASSWORD_FILE = "/run/secrets/db1"'),
    ("a.py", 'key_path = Path("~/.ssh/id_ed25519")'),
    ("a.py", 'cache_key = f"{name}-{sha256}"'),
    ("a.py", 'fold_key = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'),
    ("a.py", 'commit = "9d990341b0c2d4e5f60718293a4b5c6d7e8f9012"'),
    ("a.py", 'weights_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'),
    ("a.py", 'sig = np.array([0.1, 0.2]); signal = 2'),
    ("a.py", 'signature = infer_signature(x, y)'),
    ("a.py", 'author = "Ada Lovelace 2"; auth = None'),
    ("a.py", 'headers = {"Authorization": f"Bearer {token}"}'),
    ("a.py", 'headers = {"Authorization": "Bearer " + token}'),
    ("a.py", 'monkey = "macaque-2"; turnkey = True'),
    ("a.py", 'compass = "north-west-2"'),
    ("a.py", 'parser.add_argument("--token", default=None, help="the token, 40 characters")'),
    ("a.py", 'url = "http://user:${PASSWORD}@host"'),
    ("a.py", 'uri = f"postgresql://{user}:{password}@{host}/db"'),
    ("a.py", 'name = "sk-learn-based-classification-of-cats-2"'),
    ("a.py", 'tokens = ["cat1", "dog2"]'),
    ("a.py", 'fields = ["password", "username1"]'),
    ("a.ipynb", '    "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",'),
    ("params.yaml", "  seed: 5"),
    ("params.yaml", "  backbone: 'own_model:net'"),
    ("conf.yaml", "  password: ${DB_PASSWORD}"),
    ("conf.yaml", "  token: null"),
    ("conf.yaml", "  secretName: db-credentials-2"),
    ("deploy.sh", "export GH_TOKEN=$(cat token.txt)"),
    ("deploy.sh", "PASSWORD=\"$1\""),
    ("requirements.txt", "tokenizers==0.22.1 --hash=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4"),
    ("README.txt", "set the API key as described on page 12"),
    ("a.dvc", "- md5: 0123456789abcdef0123456789abcdef.dir"),
    ("a.json", '  "fold_key": "e3b0c44298fc1c14",'),
    ("a.json", '  "primary_key": "image_id_2",'),
    ("a.js", "const key = event.key || 'Enter2';"),
    ("a.js", 'integrity="sha512-' + made("", 86) + '=="'),
    ("a.css", "  --passes: 3;"),
)  # fmt: skip


def test_the_labelled_lines_are_as_many_as_they_say() -> None:
    assert len(SECRET) >= 30
    assert len(HONEST) >= 30


@pytest.mark.parametrize(("file", "line"), SECRET)
def test_a_secret_in_code_is_found(file: str, line: str) -> None:
    assert list(secrets_in_code(line, file=file))


@pytest.mark.parametrize(("file", "line"), HONEST)
def test_ordinary_code_is_not_taken_for_a_secret(file: str, line: str) -> None:
    assert [line[start:end] for start, end, _ in secrets_in_code(line, file=file)] == []


def test_a_private_key_in_code_is_found() -> None:
    block = next(text for what, text in FORMS if what == "private key").replace("‹", "").replace("›", "")
    assert list(secrets_in_code(f'KEY = """{block}"""', file="a.py"))


@pytest.mark.slow
def test_no_code_of_foldproof_itself_is_taken_for_a_secret() -> None:
    source = Path(__file__).parents[2] / "src"
    found = {
        path.name: [what for *_, what in secrets_in_code(path.read_text(encoding="utf-8"), file=path.name)]
        for path in source.rglob("*.py")
    }
    assert {name: whats for name, whats in found.items() if whats} == {}


def test_a_diff_names_file_and_line_and_never_the_secret(tmp_path: Path) -> None:
    def git(*arguments: str) -> bytes:
        named = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.quotepath=false")
        return subprocess.run(["git", *named, *arguments], cwd=tmp_path, check=True, capture_output=True).stdout

    git("init", "--quiet")
    (tmp_path / "model.py").write_text("\n" * 20 + 'old_password = "hunter1hunter1"\n' + "\n" * 20)
    (tmp_path / "naïve name.py").write_text("x = 1\n")
    (tmp_path / "blob.bin").write_bytes(bytes(range(256)) * 20)
    git("add", "-A")
    git("commit", "--quiet", "-m", "first")
    (tmp_path / "model.py").write_text("\n" * 20 + 'a = 1\npassword = "hunter2hunter2"\n' + "\n" * 20)
    (tmp_path / "naïve name.py").write_text('x = 1\n\nKEY = 1\napi_key = "aB3dE5fG7hJ9kL2m"\n')
    (tmp_path / "blob.bin").write_bytes(bytes(range(255, -1, -1)) * 30)
    diff = git("diff", "--binary", "HEAD")
    finds = find_in_diff(diff)
    assert [str(find) for find in finds] == ["model.py:21", "model.py:22", "naïve name.py:4"]
    assert not any("hunter" in find.what or "aB3d" in find.what for find in finds)
    shown = mask_secrets(diff)
    assert b"hunter" not in shown
    assert b"aB3dE5" not in shown
    assert shown.count(b"***") == 3
    assert find_in_diff(shown) == ()


def test_what_a_secret_variable_holds_is_found_in_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "swordfishes")
    assert [what for *_, what in secrets_in_code("x('swordfishes')", file="a.py")]


def test_a_diff_of_bytes_that_are_no_text_is_looked_through() -> None:
    diff = b'diff --git a/m.py b/m.py\n--- a/m.py\n+++ b/m.py\n@@ -1 +1,2 @@\n \xff\n+password = "hunter2hunter2"\n'
    assert [str(find) for find in find_in_diff(diff)] == ["m.py:2"]
    assert mask_secrets(diff) == diff.replace(b"hunter2hunter2", b"***")
    assert find_in_diff(b"") == ()
