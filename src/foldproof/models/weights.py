"""Download published weights into the library's local cache; no long waits, no pickles."""

import http.client
import os
import pickle
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import torch
from safetensors import SafetensorError

from foldproof.errors import ModelError, NeedsNetwork
from foldproof.storage import redact

REACH_SECONDS = 5.0
STALL_SECONDS = 20.0
UNREADABLE = (RuntimeError, ValueError, KeyError, OSError, EOFError, pickle.UnpicklingError, SafetensorError)
FORCE_TENSORS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
FORCE_PICKLES = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


def file_from_url(url: str, *, name: str) -> Path:
    """The file of `url` in torch's cache, fetched when it is not there. Raises NeedsNetwork."""
    target = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(url).path).name
    if target.exists():
        return target
    _refuse_unreachable(url, name=name)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = target.stem.rpartition("-")[2]  # the published name carries the beginning of the file's SHA-256
    prefix = digest if len(digest) >= 8 and set(digest) <= set("0123456789abcdef") else None
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        torch.hub.download_url_to_file(url, str(target), hash_prefix=prefix, progress=False)
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise _needs_network(url, name=name, why=error) from error
    finally:
        socket.setdefaulttimeout(before)
    return target


def file_from_hub(repository: str, filenames: Sequence[str], *, name: str) -> Path:
    """The first of `filenames` that a Hugging Face repository (`owner/name` or `owner/name@revision`) has.

    Looks in the local cache before it asks the network. Raises NeedsNetwork, or ModelError where it has none.
    """
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    owned, _, revision = repository.partition("@")
    for filename in filenames:
        found = huggingface_hub.try_to_load_from_cache(owned, filename, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    address = f"{huggingface_hub.constants.ENDPOINT}/{owned}"
    _refuse_unreachable(address, name=name)
    for filename in filenames:
        try:
            return Path(huggingface_hub.hf_hub_download(owned, filename, revision=revision or None))
        except LocalEntryNotFoundError as error:  # an EntryNotFoundError too, but says that nobody answered
            raise _needs_network(address, name=name, why=error) from error
        except EntryNotFoundError:
            continue
        except OSError as error:
            raise _needs_network(address, name=name, why=error) from error
    raise ModelError(
        f"{address} has no weights of '{name}' under the names {', '.join(filenames)}",
        next_step="set train.pretrained: false, or choose another backbone",
    )


@contextmanager
def reading(file: Path, *, name: str) -> Iterator[None]:
    """Have every `torch.load` of the block read tensors and nothing else, whoever calls it and however.

    Raises ModelError where the file holds more than tensors, or other tensors than the network has.
    """
    before = {key: os.environ.pop(key, None) for key in (FORCE_TENSORS, FORCE_PICKLES)}
    os.environ[FORCE_TENSORS] = "1"
    try:
        yield
    except UNREADABLE as error:
        raise ModelError(
            f"the weights of '{name}' cannot be used: {_first_line(error)}",
            next_step=f"delete {file} and fetch them again",
        ) from error
    finally:
        del os.environ[FORCE_TENSORS]
        os.environ.update({key: value for key, value in before.items() if value is not None})


def unreachable(url: str, *, seconds: float = REACH_SECONDS) -> str:
    """Why nothing answers at `url` within `seconds`, or the empty string; a refusal is an answer too.

    In a thread, since looking up a host's name and trying its addresses in turn know no common deadline.
    """
    answers: list[str] = []

    def ask() -> None:
        try:
            urlopen(Request(url, method="HEAD"), timeout=seconds).close()  # noqa: S310  # a library's address
            answers.append("")
        except HTTPError:
            answers.append("")
        except (OSError, ValueError, http.client.HTTPException) as error:
            answers.append(_first_line(getattr(error, "reason", error)))

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else f"no answer within {seconds:g} s"


def _refuse_unreachable(url: str, *, name: str) -> None:
    if why := unreachable(url):
        raise _needs_network(url, name=name, why=why)


def _needs_network(url: str, *, name: str, why: object) -> NeedsNetwork:
    return NeedsNetwork(
        f"the weights of '{name}' must be downloaded from {urlsplit(url).netloc}: {_first_line(why)}",
        next_step="set train.backbone: efficientnet_lite0, whose weights are installed, or go online once",
    )


def _first_line(reason: object) -> str:
    return redact(str(reason).strip().partition("\n")[0])[:160] or type(reason).__name__
