"""The lab listens on this machine only wherever it is started from, and says what to do while nothing is set up."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

LAB = Path(__file__).resolve().parent.parent

# Streamlit's own code warns about its dependencies now and then.
pytestmark = pytest.mark.filterwarnings("default")


def test_it_listens_on_this_machine_only_whatever_the_current_folder_is(tmp_path, monkeypatch):
    from streamlit import config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_main_script_path", str(LAB / "app.py"))
    options = config.get_config_options(force_reparse=True)
    try:
        assert options["server.address"].value == "localhost"
        assert options["browser.gatherUsageStats"].value is False
    finally:
        monkeypatch.undo()
        config.get_config_options(force_reparse=True)


@pytest.mark.functional
@pytest.mark.parametrize("page", ["model", "errors", "compare", "train", "corrections"])
def test_without_a_secret_key_a_page_says_what_to_run(page, monkeypatch):
    from streamlit.testing.v1 import AppTest

    from explore import site

    def fail():
        raise ImproperlyConfigured("SECRET_KEY is not set. Run `make setup`.")

    monkeypatch.undo()
    monkeypatch.setattr(site, "connect", fail)
    app = AppTest.from_file(str(LAB / "screens" / f"{page}.py"), default_timeout=30).run()
    assert not app.exception
    assert "SECRET_KEY is not set. Run `make setup`. Then reload this page." in [info.value for info in app.info]
