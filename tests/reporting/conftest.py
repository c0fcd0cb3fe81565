"""Pages as they are read and opened, figures as they are saved, a hip of known geometry, W&B in clean processes."""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from hipjsw.jsw.profile import measure_curves

REPOSITORY = Path(__file__).parents[2]

#: Stands in for a W&B server, in the process that runs it; what it was sent is in ``seen``, and ``hang`` says when to
#: fall silent.
SERVER = """
import gzip, re, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
seen = []

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments): pass
    def body(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content
    def answer(self, content):
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_GET(self): self.answer({})
    def do_PUT(self):
        seen.append((self.path, str(self.headers), self.body()))
        self.answer({})
    def do_POST(self):
        content = self.body()
        seen.append((self.path, str(self.headers), content))
        if hang == "always" or (hang == "stream" and self.path != "/graphql"): time.sleep(60)
        if self.path != "/graphql": return self.answer({"exitcode": None, "limits": {}})
        query = json.loads(content)
        given = query.get("variables") or {}
        owner = {"id": "p", "name": "p", "entity": {"id": "e", "name": "e"}}
        bucket = {"id": "b", "name": given.get("name"), "displayName": "n", "config": "{}",
                  "project": owner, "historyLineCount": 0}
        view = given | {"id": "saved", "project": {"id": "p", "name": "p", "entityName": "e"}}
        node = {"__typename": "Project", "id": "p", "name": "hipjsw", "entityName": "e", "isBenchmark": False,
                "createdAt": "2026-01-01T00:00:00", "user": None}
        page = {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}
        files = [{"name": f, "uploadUrl": f"{url}/up/{f}"} for f in given.get("files") or []]
        self.answer({"data": {
            "RunResumeStatus": {"model": owner | {"bucket": None}},
            "UpsertBucket": {"upsertBucket": {"bucket": bucket, "inserted": True}},
            "CreateRunFiles": {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}},
            "Viewer": {"viewer": {"id": "v", "entity": "e", "username": "u", "flags": "{}", "teams": {"edges": []}}},
            "GetProjects": {"models": {"pageInfo": page, "edges": [{"node": node}]}},
            "UpsertView2": {"upsertView": {"view": view}},
            "upsertView": {"upsertView": {"view": view}},
        }.get(re.search(r"(?:query|mutation) +(\\w+)", query["query"])[1], {})})

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
url = f"http://127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ |= {"WANDB_BASE_URL": url, "WANDB_API_KEY": "a" * 40}
"""


#: Elements that are never closed.
VOID = {"meta", "img", "input", "wbr", "link", "br"}


class Page(HTMLParser):
    """Elements with their attributes, words, and whether every element that was opened is closed in its turn."""

    def __init__(self, path, between):
        super().__init__(convert_charrefs=True)
        self.source, self.between = path.read_text(encoding="utf-8"), between
        self.open, self.elements, self.words = [], [], []
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(self.between.join(self.words).split())

    def all(self, tag, **wanted):
        return [a for name, a in self.elements if name == tag and all(a.get(k) == v for k, v in wanted.items())]


@pytest.fixture(scope="session")
def read_page():
    """Read a page; what stands between words of neighbouring elements is nothing, unless said."""
    return lambda path, between="": Page(path, between)


def module_of(name, path):
    """A module that is no test, by its path."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "tests" / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made():
    """The module that makes up runs and results, of the tests of the room that answers."""
    return module_of("ablation_made", "ablation/made.py")


@pytest.fixture(scope="session")
def open_browser():
    """Open a page in headless Chromium; a context."""
    module = module_of("browser_of_tests", "reporting/browser.py")
    if module.CHROMIUM is None:
        pytest.skip("no Chromium on this machine; install it to have the page tried in a browser")

    @contextmanager
    def opened(path):
        browser = module.Browser()
        try:
            browser.open(path.as_uri())
            yield browser
        finally:
            browser.close()

    return opened


@pytest.fixture
def drawn(monkeypatch):
    """Figures in the order in which they are saved; one that is saved in two formats is there once."""
    figures, savefig = [], Figure.savefig

    def kept(self, *args, **kwargs):
        if not any(figure is self for figure in figures):
            figures.append(self)
        return savefig(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", kept)
    return figures


@pytest.fixture
def texts():
    """Everything written anywhere in a figure, a line each."""
    return lambda figure: "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.fixture
def circle_width(circle_hip):
    """Factory of a width measured between two circles, with fields replaced; its head's centre at (50, 60) mm."""

    def make(offset_mm=(0.8, 1.0), roof_radius_mm=31.0, **changes):
        hip, centre = circle_hip(offset_mm=offset_mm, roof_radius_mm=roof_radius_mm), np.array([50.0, 60.0])
        angle = np.deg2rad(np.linspace(-80, 80, 801))
        head = centre + hip.radius_mm * np.column_stack([-np.cos(angle), np.sin(angle)])
        return replace(measure_curves(hip.sourcil(401) + centre, head, centre), **changes)

    return make


@pytest.fixture
def folder(tmp_path):
    """A folder whose name must not be sent."""
    path = tmp_path / "canary-folder"
    path.mkdir()
    return path


@pytest.fixture
def run_script(folder):
    """Run code in a clean process; what it prints as its last line is read as JSON."""

    def run(*parts, **environ):
        (folder / "canary_script.py").write_text("\n".join(textwrap.dedent(part) for part in parts))
        env = {key: value for key, value in os.environ.items() if not key.startswith(("WANDB", "NETRC"))}
        env |= {"HOME": str(folder / "canary-home"), "USER": "canary-user", "PYTHONPATH": str(REPOSITORY)}
        env |= {"WANDB_USERNAME": "canary-name", "WANDB_USER_EMAIL": "canary@mail.org"} | environ
        command = [sys.executable, "-W", "error", "canary_script.py", str(folder), "key=/canary/argument"]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def records():
    """Records of an offline run, by its binary file."""

    def read(path):
        wandb = Path(sys.executable).with_name("wandb")
        done = subprocess.run([wandb, "leet", "inspect", "--json", path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return read


@pytest.fixture(scope="session")
def server_script():
    """Code that stands a W&B server up in its own process."""
    return SERVER
