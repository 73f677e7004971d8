"""The built book on a local server, and a headless Chromium that can reach nothing else."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "build" / "book"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def book():
    """The folder of the built pages."""
    if not (BOOK / "index.html").exists():
        pytest.skip("the book is not built; `make book` builds it")
    return BOOK


@pytest.fixture(scope="session")
def address(book):
    """Where the book is served."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=book)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """The system's own Chromium; it resolves no name, so that nothing could leave the machine."""
    sync = pytest.importorskip(
        "playwright.sync_api", reason="no playwright; `make unit` installs it"
    )
    program = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if program is None:
        pytest.skip("no Chromium here; `make chromium` as root, or install one")
    with sync.sync_playwright() as playwright:
        options = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


class Visit:
    """A page as a visitor sees it, what it asked for, and what its console said."""

    def __init__(self, page, address):
        self.page, self.address, self.asked, self.failed, self.said = page, address, [], [], []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: self.failed.append(request.url))
        page.on(
            "response",
            lambda response: self.failed.append(response.url) if response.status >= 400 else None,
        )
        page.on(
            "console",
            lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def open(self, name):
        """Load a page and wait until its formulas are typeset."""
        self.page.goto(self.address + name, wait_until="load")
        self.page.evaluate("window.MathJax?.startup?.promise")
        return self.page

    def outside(self):
        return [url for url in self.asked if not url.startswith((self.address, "data:", "blob:"))]


@pytest.fixture
def visit(chromium, address):
    """visit(width=, theme=) gives a fresh Visit.

    Afterwards, nothing may have failed, been complained of, or asked for outside.
    """
    opened = []

    def start(width=1280, theme="light"):
        # without motion, which book.css then leaves out: a colour halfway through fading in has no
        # contrast of its own
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
        )
        opened.append((context, Visit(context.new_page(), address)))
        return opened[-1][1]

    yield start
    for context, seen in opened:
        context.close()
        assert (seen.said, seen.failed, seen.outside()) == ([], [], [])
