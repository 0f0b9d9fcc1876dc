"""A server on loopback that answers as MLflow's would, or as nobody should: a way to answer in, its address out."""

import functools
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAYS = (
    *(
        "pages for ever",
        "runs for ever",
        "one byte a second",
        "redirects",
        "redirect elsewhere",
        "a gigabyte",
        "depth",
        "401",
        "500",
    ),
    *("no JSON", "names", "numbers", "shapes", "slow", "closed", "no length"),
)
_MOST_SECONDS = 60
_BAD_NAME = "owned\x1b[2J\u202e$(x)../../x"


def _document(way: str) -> bytes:
    """All that any question asks for, in one."""
    name = _BAD_NAME if way == "names" else "digits"
    number: object = {"numbers": 1e308, "shapes": ["x"]}.get(way, 0.5)
    metrics = [{"key": "val_accuracy", "value": number, "timestamp": "0", "step": "0"}]
    info = {"run_id": "0" * 32, "run_uuid": "0" * 32, "run_name": name, "experiment_id": "0", "status": "FINISHED"}
    info |= {"artifact_uri": "../../canary", "lifecycle_stage": "active", "start_time": 0}
    run = {
        "info": info,
        "data": {"metrics": metrics, "params": [{"key": name, "value": name}], "tags": []},
        "inputs": {},
    }
    experiment = {"experiment_id": "0", "name": name, "artifact_location": "../../canary", "lifecycle_stage": "active"}
    answer = {"experiments": [experiment], "experiment": experiment, "runs": [run], "run": run, "metrics": metrics}
    answer |= {"files": [{"path": "../../x", "is_dir": False, "file_size": 1}], "root_uri": "../../canary"}
    if way == "pages for ever":
        answer |= {"experiments": [], "runs": [], "next_page_token": "more"}
    elif way == "runs for ever":
        answer |= {"next_page_token": "more"}
    elif way == "shapes":
        answer |= {"experiments": {"x": 1}, "runs": "x"}
    text = json.dumps(answer)
    return (text.replace("1e+308", "1e999") if way == "numbers" else text).encode()


class _Handler(BaseHTTPRequestHandler):
    way, elsewhere = "", ""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(min(length, 2**20))
        try:
            self._answer()
        except OSError:
            return

    do_POST = do_PUT = do_HEAD = do_PATCH = do_DELETE = do_GET  # noqa: N815 - as the library names them

    def _answer(self) -> None:
        if self.way.startswith("redirect"):
            self.send_response(307)
            self.send_header("Location", f"http://{self.elsewhere}/x" if self.way.endswith("elsewhere") else self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.way in ("one byte a second", "a gigabyte", "no length"):
            self._stream()
        elif self.way == "closed":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            if self.way == "slow":
                time.sleep(20)
            body = {"no JSON": b"<html>", "depth": b"[" * 500_000}.get(self.way) or _document(self.way)
            self.send_response({"401": 401, "500": 500}.get(self.way, 200))
            self.send_header("WWW-Authenticate", 'Basic realm="give"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if self.way != "no length":
            self.send_header("Content-Length", str(2**31))
        self.end_headers()
        deadline = time.monotonic() + _MOST_SECONDS
        while time.monotonic() < deadline:
            self.wfile.write(b" " if self.way == "one byte a second" else b" " * 2**20)
            self.wfile.flush()
            if self.way == "one byte a second":
                time.sleep(1)

    def log_message(self, *_: object) -> None:
        return


@functools.cache
def address(way: str, elsewhere: str) -> str:
    """Where one that answers in this way listens, until this process ends."""
    handler = type("Handler", (_Handler,), {"way": way, "elsewhere": elsewhere})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"
