"""Let through to the server of `foldproof ui` only requests that show or change runs and know its password.

MLflow's server can also call other hosts, run programs and open files wherever a request says. Nothing that shows or
changes runs takes that, and on one machine every user can send requests. So what is not in this table is refused.
"""

import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

USER = "foldproof"
_OPEN = "/health"  # says that the server is there, to whoever starts it
_NAME = r"[^/]+"
_PAGES = r"/|/health|/version|/static-files/.+|/get-artifact|/model-versions/get-artifact"
_LOOKED_UP = "|".join(
    (
        "server-info|ui-telemetry|workspaces|scorers/list|label-schemas/list|review-queues/list",
        rf"datasets/search|datasets/{_NAME}|datasets/{_NAME}/(?:records|experiment-ids)",
        rf"traces/{_NAME}",
    )
)
_SEARCHED = "datasets/search|issues/search|traces/search|traces/metrics"
_KEPT = "|".join(
    (
        "experiments/(?:create|delete|restore|update|get|get-by-name|search|search-datasets)",
        "experiments/(?:set-experiment-tag|delete-experiment-tag)",
        "runs/(?:create|delete|restore|update|get|search|set-tag|delete-tag)",
        "runs/(?:log-batch|log-inputs|log-metric|log-model|log-parameter|outputs)",
        "metrics/(?:get-history|get-history-bulk|get-history-bulk-interval)",
        "artifacts/list|upload-artifact",
        f"(?:registered-models|model-versions)/{_NAME}",
        f"logged-models(?:/{_NAME}){{0,4}}",
    )
)
_ALLOWED = (
    (("GET", "HEAD"), re.compile(_PAGES)),
    (("GET", "POST"), re.compile("/graphql")),
    (("GET", "POST", "PATCH", "DELETE"), re.compile(rf"/(?:ajax-)?api/2\.0/mlflow/(?:{_KEPT})")),
    (("GET", "PUT", "DELETE"), re.compile(r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts(?:/.*)?", re.DOTALL)),
    (("GET",), re.compile(rf"/(?:ajax-)?api/3\.0/mlflow/(?:{_LOOKED_UP})")),
    (("POST",), re.compile(rf"/(?:ajax-)?api/3\.0/mlflow/(?:{_SEARCHED})")),
)
_NOT_HERE = "`foldproof ui` shows runs and lets them be changed; for other parts of MLflow start `mlflow server`"


def is_allowed(method: str, path: str) -> bool:
    """Whether a request is one that shows or changes runs and models."""
    return any(method in methods and form.fullmatch(path) for methods, form in _ALLOWED)


class Door:
    """An ASGI application before MLflow's: what passes is allowed and, where there is a password, knows it."""

    def __init__(self, inner: Application, *, password: str = "") -> None:
        self._inner = inner
        self._expected = b"Basic " + base64.b64encode(f"{USER}:{password}".encode()) if password else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._inner(scope, receive, send)
        elif not self._knows_password(scope):
            await _refuse(send, 401, "UNAUTHENTICATED", "a user and a password are asked for", b'Basic realm="mlflow"')
        elif not is_allowed(scope["method"], scope["path"]):
            await _refuse(send, 403, "PERMISSION_DENIED", _NOT_HERE)
        else:
            await self._inner(scope, receive, send)

    def _knows_password(self, scope: Scope) -> bool:
        if not self._expected or scope["path"] == _OPEN:
            return True
        given = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        return len(given) == 1 and secrets.compare_digest(given[0], self._expected)


async def _refuse(send: Send, status: int, code: str, text: str, challenge: bytes = b"") -> None:
    body = json.dumps({"error_code": code, "message": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"www-authenticate", challenge)] if challenge else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
