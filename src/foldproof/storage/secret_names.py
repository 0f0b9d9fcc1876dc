"""Find names whose values are secret, and where a text gives them a value. Pure.

A word counts as a whole part of a name, in whichever way names are put together: `DB_PASSWORD`, `api-key`,
`clientSecret`; not the letters of `tokenizer`, `secretary` or `monkey`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise


def words_of(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_HINT = re.compile(r"pass|pwd|pw\b|secret|token|key|cred|sig|auth|pat|sas|dsn|code|hmac|jwt", re.IGNORECASE)
_SECRET = words_of(
    "password passwd passphrase passcode pwd secret token apikey accesskey secretkey privatekey accountkey authkey"
)
# Put together without anything between: PGPASSWORD, userpassword, authtoken.
_SECRET_ENDINGS = ("password", "passwd", "passphrase", "token", "apikey", "accesskey", "secretkey")
_OF_A_KEY = words_of(
    "access account admin aes anthropic api app application auth client consumer deploy encryption functions "
    "hf hmac huggingface license master openai private sas secret service session shared sharedaccess signing "
    "ssh storage subscription wandb webhook"
)
_MAYBE = words_of("pass pw auth credential credentials pat sas dsn sig signature hmac jwt")
_OF_A_QUERY = words_of("sig signature credential auth pass pw pwd pat sas hmac jwt awsaccesskeyid accesskeyid")
_LONG_IN_A_QUERY = frozenset(("key", "code", "assertion", "ticket"))
# After these words a name is about a secret and is none: TOKEN_FILE, password_reset, secret_id.
_ABOUT = words_of(
    "age algorithm at attempts class column cost count dir dropout embedding embeddings encoder enabled env "
    "expires expiry field fields file folder form format header hint id ids in index is label len length "
    "level limit link lists loss manager mask max min minutes mode model module name names num number page "
    "param path policy position prefix probability prompt provider rate ref refresh required reset rotation "
    "rule rules seconds size sock source store suffix template tool ttl type types uri url usage user "
    "username valid var version vocab width"
)


@dataclass(frozen=True)
class Named:
    """A value in a text, from `start` to `end`, and the name it is given to. `is_sure`: the name says enough."""

    name: str
    start: int
    end: int
    is_quoted: bool
    is_sure: bool


def parts_of(name: str) -> tuple[str, ...]:
    """The words that a name is put together of, in small letters."""
    return tuple(part.lower() for part in _PARTS.findall(name[-256:]))


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether whatever has this name is secret."""
    words = _words(name)
    if not words or words[-1] in _ABOUT:
        return False
    keys = any(one in _OF_A_KEY and other in ("key", "keys") for one, other in pairwise(words))
    signed = words[-3:] == ("shared", "access", "signature")
    return keys or signed or any(word in _SECRET or word.endswith(_SECRET_ENDINGS) for word in words)


@lru_cache(maxsize=4096)
def may_be_secret(name: str) -> bool:
    """Whether what has this name is secret where it looks like a secret."""
    words = _words(name)
    return bool(words) and words[-1] in _MAYBE


def _words(name: str) -> tuple[str, ...]:
    if not _HINT.search(name):
        return ()
    words = parts_of(name)
    while words and words[-1].isdigit():  # password2, API_KEY_1
        words = words[:-1]
    return words


_NAME = re.compile(
    r"(?:(?<=%[0-9A-Fa-f]{2})|(?<![\w.%-]))(?P<name>[\w.-]{1,256}+)(?![\w.-])"
    r"(?P<between>\\{0,4}[\"']?\]?(?:[ \t]{1,4}string(?=[ \t]{0,4}=))?[ \t]{0,8}"
    r"(?::[ \t]{0,8}(?:Final\b|Final\[str\]|str\b|bytes|SecretStr|string\b|Optional\[str\])"
    r"(?:[ \t]?\|[ \t]?None)?[ \t]{0,8}=(?!=)"
    r"|=>|:=|={1,3}|:(?!//)|%3[AaDd]"
    r"|(?<=[\"'])[ \t]{0,8},(?=[ \t]{0,8}\\{0,4}[\"'])"
    r"|(?<=[\"'])[ \t]{0,8}value[ \t]{0,8}=(?=[ \t]{0,8}[\"'])"
    r"|>)[ \t]{0,8}(?:[|>][+-]?[ \t]{0,8}\n[ \t]{1,40})?)"
)
_OPTION = re.compile(
    r"(?<![^\s\"'])--?(?P<name>[A-Za-z][\w-]{1,80}+)[\"']?,?[ \t]{1,4}[\"']?(?P<value>[^\s\"',;|&-][^\s\"']*+)"
)
_QUOTED = re.compile(
    r"(?:[bBrRuUfF]{1,2}(?=[\"']))?(?P<quote>\"\"\"|'''|\\{0,8}[\"'])"
    r"(?P<value>(?:(?!(?P=quote))(?:\\[^\n]|[^\\\n])){0,65536})"
)
_BARE = re.compile(r"(?P<value>[^\s,;&'\"<]++(?:(?:[,;&](?![\w .%-]{1,40}[=:])|['\"](?=\w))[^\s,;&'\"<]++){0,64})")
_ENCODED = re.compile(r"(?P<value>(?:[^\s&'\"%]|%(?!26|22|7[Dd]))++)")
_LINE = re.compile(r"(?P<value>[^\n]++)")
_DECIDING = 96  # characters of a value that tell whether it is a secret: what is no secret is read no further
_NOT_SAID = re.compile(
    r"\*{3}.*|[x*.]{3,}|…|(?:none|null|nil|true|false|undefined)[\]}]*|<[^<>]*>|\[[A-Za-z_]*\]?|\$\{?[\w.:-]*\}?\]?|\$\(.*|\{.*|"
    r"\[|\(|%\(?\w*\)?s?|(?:os\.)?(?:environ|getenv)\b.*",
    re.IGNORECASE,
)
_HASH_OR_NUMBER = re.compile(r"[0-9A-Fa-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\d.,:TZ+-]+")
_CALLED = re.compile(r"\([ \t]{0,4}\\{0,4}[\"']$")
_QUERY = re.compile(r"(?:[?&;]|%26|%3[Ff]|\\u0026|\\u003[Ff])$")


def named_secrets(text: str) -> Iterator[Named]:
    """Where a name of a secret has a value, in the order of the text; none overlaps another."""
    after = 0
    if not _HINT.search(text):
        return
    for found in _NAME.finditer(text):
        if found.start() < after:
            continue
        named = _value_of(text, found)
        if named is not None:
            after = named.end
            yield named


def secret_options(text: str) -> Iterator[Named]:
    """`--password hunter2`, where the value is a word of its own and does not look like one of a sentence."""
    for found in _OPTION.finditer(text):
        name, value = found["name"], found["value"]
        if is_secret_name(name) and is_said(value) and not (value.isalpha() and value.islower() and len(value) < 8):
            yield Named(name, *found.span("value"), is_quoted=False, is_sure=True)


def is_said(value: str) -> bool:
    """Whether a value is given, rather than left open or taken from elsewhere: None, `${TOKEN}`, `<your token>`."""
    return bool(value) and _NOT_SAID.fullmatch(value.rstrip(".,;:!?`)")) is None


def looks_secret(value: str) -> bool:
    """Whether a value looks like a secret: letters and digits or signs, but no number, hash, path or sentence."""
    if not 8 <= len(value) <= 4096 or any(sign.isspace() for sign in value) or not is_said(value):
        return False
    if _HASH_OR_NUMBER.fullmatch(value) or value[0] in "/~{[(":
        return False
    return any(map(str.isalpha, value)) and any(map(str.isdigit, value))


def _value_of(text: str, found: re.Match[str]) -> Named | None:
    name, between, start = found["name"], found["between"], found.start()
    before = text[max(0, start - 6) : start]
    if before.endswith("\\"):
        name = re.sub(r"u00(?:26|3[fF])(?=\w)", "", name, count=1) if name.startswith("u00") else name
        name = name[1:] if name[:1] in "nrt" and is_secret_name(name[1:]) else name
        before += found["name"][: len(found["name"]) - len(name)]
    if ">" in between and "=>" not in between and not before.endswith("<") and "\n" not in between:
        return None
    in_call = between.rstrip(" \t").endswith(",")  # setenv("TOKEN", "…"), and no list of names
    if in_call and not _CALLED.search(before):
        return None
    sure = is_secret_name(name) and not in_call
    if not sure and not _is_any(name):
        return None
    said = _match_value(text, found.end(), between, most=_DECIDING)
    if said is None or not is_said(said["value"]):
        return None
    if not sure and not _counts(name, said["value"], in_query=_QUERY.search(before) is not None):
        return None
    value = _match_value(text, found.end(), between, most=len(text)) or said
    return Named(name, *value.span("value"), is_quoted="quote" in value.re.groupindex, is_sure=sure)


def _is_any(name: str) -> bool:
    """Whether a name is that of a secret anywhere."""
    words = parts_of(name)
    last = words[-1] if words else ""
    return is_secret_name(name) or may_be_secret(name) or last in _LONG_IN_A_QUERY or "".join(words) in _OF_A_QUERY


def _counts(name: str, value: str, *, in_query: bool) -> bool:
    words = parts_of(name)
    if in_query and (words[-1] in _OF_A_QUERY or "".join(words) in _OF_A_QUERY):
        return True
    if in_query and words[-1] in _LONG_IN_A_QUERY and len(words) == 1:
        return len(value) >= 16 and looks_secret(value)
    return (may_be_secret(name) or is_secret_name(name)) and looks_secret(value)


def _match_value(text: str, start: int, between: str, *, most: int) -> re.Match[str] | None:
    """The value that begins at `start`, or as much of it as `most` characters hold."""
    if between.lower().endswith(("%3d", "%3a")):
        return _ENCODED.match(text, start, start + most)
    if "\n" in between:
        return _LINE.match(text, start, start + most)
    quoted = _QUOTED.match(text, start, start + most)
    if quoted is not None:
        return quoted if quoted["value"] else None
    return _BARE.match(text, start, start + most)
