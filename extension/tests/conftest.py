"""The extension in a real Chromium, beside the real site."""

import hashlib
import json
import shutil

import pytest
from django.core.signals import request_started

from conftest import CHROMIUM_FLAGS, chromium
from extension.package import SOURCE
from genre_site.tests.test_api_docs import served as served

READING = "https://reading.example"


@pytest.fixture
def asked():
    """What the site was asked for, as it saw it itself."""
    paths = []

    def note(environ, **_):
        paths.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))

    request_started.connect(note)
    yield paths
    request_started.disconnect(note)


@pytest.fixture
def extended(browser, served, tmp_path):
    """A Chromium with the extension: its context and the address of the extension's pages.

    A copy is loaded that may ask the site and read the page from the start: nobody can click on the browser's own
    question here.
    """
    folder = tmp_path / "extension"
    shutil.copytree(SOURCE, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["host_permissions"] = [f"{served[0]}/*", f"{READING}/*"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    context = browser.browser_type.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium(),
        headless=False,
        ignore_default_args=["--disable-extensions"],
        args=[*CHROMIUM_FLAGS, "--headless=new", f"--disable-extensions-except={folder}", f"--load-extension={folder}"],
    )
    context.set_default_timeout(10_000)
    yield context, f"chrome-extension://{id_of(folder)}"
    context.close()


def id_of(folder):
    """Return the id that Chromium gives an extension without a key: a hash of its folder, in letters from a to p."""
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:32]
    return digest.translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))
