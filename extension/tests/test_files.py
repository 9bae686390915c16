"""What a browser or a store would refuse, and what would go out of step with the site, found without a browser."""

import json
import re
import struct
import zipfile

import pytest

from classifier.core.text import UNREADABLE
from classifier.problems import PROBLEMS, TYPE
from classifier.wording import ABSTENTIONS, WORDS
from extension.package import SOURCE, files, pack

MANIFEST = json.loads((SOURCE / "manifest.json").read_text(encoding="utf-8"))
MESSAGES = json.loads((SOURCE / "_locales" / "en" / "messages.json").read_text(encoding="utf-8"))
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in SOURCE.glob("*.js")}
PAGES = {path.name: path.read_text(encoding="utf-8") for path in SOURCE.glob("*.html")}
ALL = json.dumps(MANIFEST) + "".join([*SCRIPTS.values(), *PAGES.values()])


def table(script, name):
    """Return the text of a constant list or object of a script."""
    return re.search(rf"^const {name} = (.*?);$", SCRIPTS[script], re.MULTILINE | re.DOTALL)[1]


def test_the_manifest_has_what_both_browsers_require():
    assert MANIFEST["manifest_version"] == 3
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    assert len(MESSAGES["name"]["message"]) <= 75
    assert len(MESSAGES["description"]["message"]) <= 132
    assert MANIFEST["default_locale"] == "en"
    # Chromium needs a version that knows URL.parse and optional_host_permissions; Firefox needs an id, too.
    assert int(MANIFEST["minimum_chrome_version"]) >= 126
    gecko = MANIFEST["browser_specific_settings"]["gecko"]
    assert gecko["id"].count("@") == 1
    assert float(gecko["strict_min_version"]) >= 140
    assert gecko["data_collection_permissions"]["required"] == ["websiteContent", "authenticationInfo"]


def test_it_asks_for_no_more_than_it_needs_and_runs_nowhere_by_itself():
    assert MANIFEST["permissions"] == ["activeTab", "scripting", "storage"]
    assert MANIFEST["optional_host_permissions"] == ["http://*/*", "https://*/*"]
    alone = {"background", "content_scripts", "host_permissions", "optional_permissions", "web_accessible_resources"}
    assert alone & set(MANIFEST) == set()


def test_its_policy_lets_no_foreign_code_run():
    policy = MANIFEST["content_security_policy"]
    assert list(policy) == ["extension_pages"]
    directives = dict(directive.split(maxsplit=1) for directive in policy["extension_pages"].split("; "))
    assert (directives["default-src"], directives["script-src"]) == ("'none'", "'self'")
    assert [value for value in directives.values() if "unsafe" in value] == []


def test_the_files_it_names_are_there_and_its_icons_have_their_sizes():
    named = set(re.findall(r'(?:src|href)="([^"]+)"', "".join(PAGES.values())))
    named |= set(re.findall(r'from "\./([^"]+)"', "".join(SCRIPTS.values())))
    named |= {MANIFEST["action"]["default_popup"], MANIFEST["options_ui"]["page"]}
    assert [name for name in named if not (SOURCE / name).is_file()] == []
    for size, name in (MANIFEST["icons"] | MANIFEST["action"]["default_icon"]).items():
        assert struct.unpack(">II", (SOURCE / name).read_bytes()[16:24]) == (int(size), int(size))


def test_every_message_that_is_used_exists_and_every_one_is_used():
    used = set(re.findall(r'message\("(\w+)"|data-text="(\w+)"|__MSG_(\w+)__', ALL))
    used = {name for names in used for name in names if name}
    used |= set(
        re.findall(r'"((?:score|reason|next|failed)_\w+|\w+_heading|which_genres|correct|name_genres|or)"', ALL)
    )
    assert used == set(MESSAGES)


def test_every_placeholder_of_a_message_is_filled():
    for name, entry in MESSAGES.items():
        named = {found.lower() for found in re.findall(r"\$(\w+)\$", entry["message"])}
        assert (name, named) == (name, set(entry.get("placeholders", {})))


def test_the_scripts_make_no_markup_and_no_code_out_of_text():
    bad = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|DOMParser|\beval\b|new Function|import\("
    )
    assert [(name, bad.findall(source)) for name, source in SCRIPTS.items() if bad.search(source)] == []
    assert re.findall(r"https?:", "".join([*SCRIPTS.values(), *PAGES.values()])) == ["http:", "https:"]


def test_the_pages_have_no_inline_script_or_style():
    for source in PAGES.values():
        assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", source) == []


def test_the_popup_does_not_depend_on_a_width_that_it_decides_itself():
    assert re.findall(r"\d(?:[sld]?vw|vi|vmin|vmax)\b", (SOURCE / "style.css").read_text(encoding="utf-8")) == []


def test_scores_have_the_words_of_the_site():
    said = re.findall(r'\[([\d.]+), "(\w+)"\]', table("answer.js", "WORDS"))
    assert [(float(bound), MESSAGES[name]["message"]) for bound, name in said] == list(WORDS)


def test_every_reason_of_the_api_has_its_words():
    reasons = set(re.findall(r'"([\w-]+)": "', table("answer.js", "REASONS")))
    assert reasons == set(ABSTENTIONS) | set(UNREADABLE.values())


def test_the_problems_it_knows_are_those_of_the_api():
    assert re.search(r'^const PROBLEM = "(.*)";$', SCRIPTS["server.js"], re.MULTILINE)[1] == TYPE
    known = re.findall(r'^  "([a-z-]+)": \[', table("server.js", "NEXT"), re.MULTILINE)
    known += json.loads(table("server.js", "SAY_IT_THEMSELVES"))
    assert len(known) >= 9
    assert set(known) <= set(PROBLEMS)


def test_the_zip_is_the_same_each_time_and_holds_the_extension_alone(tmp_path):
    first, second = pack(tmp_path / "one" / "a.zip"), pack(tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        assert json.loads(archive.read("manifest.json")) == MANIFEST
    assert names == sorted(names)
    assert len(names) == len(files())


@pytest.mark.parametrize("name", [path.relative_to(SOURCE).as_posix() for path in files()])
def test_no_file_has_a_name_that_chromium_keeps_for_itself(name):
    assert not name.startswith("_") or name.startswith("_locales/")
