import csv
import errno
import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.examples import LabelledText, read_examples, write_examples
from classifier.core.text import one_line
from classifier.models import Genre
from feedback.actions import review, withdraw
from feedback.models import Correction
from feedback.tests.conftest import DRAGON, empty_corrections, trail
from feedback.tests.nasty import NASTIER

ROOT = Path(__file__).resolve().parents[2]
LOSSLESS = ("csv", "jsonl")
PLAIN = ("fasttext", "annif")


@pytest.fixture
def many(make_correction):
    """Corrections with every nasty text, and every status and verdict."""
    for at, text in enumerate(NASTIER):
        make_correction(
            text,
            genres=("romance", "cooking", "fantasy")[: 1 + at % 3],
            status=("approved", "pending", "rejected")[at % 3],
            shown=[["fantasy", 0.9731], ["cooking", 1e-05], ["romance", 0.0]][: at % 4],
            note=NASTIER[-at],
        )
    make_correction(
        "No genre of the list fits this hymn", verdict="none", status="approved", proposal='=cmd() "x", y|z'
    )
    make_correction("Who could tell the genre of this one", verdict="unsure", note="__label__x\r\n'=x")
    edited = make_correction("A reviewer gave this one another genre", verdict="unsure", status="approved")
    edited.genres.set(Genre.objects.filter(slug__in=["cooking", "art-design"]))
    withdraw(correction=make_correction(genres=("fantasy",), note="gone"))


def snapshot():
    """Return everything that a lossless format must bring back: of a deleted correction, that it is deleted."""
    return {
        row.receipt: (row.text, row.status)
        if row.is_erased
        else (
            row.text,
            row.slugs(),
            row.status,
            row.verdict,
            row.chosen,
            row.shown,
            row.note,
            row.proposal,
        )
        for row in Correction.objects.all()
    }


def export(path, *options):
    told = io.StringIO()
    call_command("export_feedback", "-O", str(path), *options, stderr=told)
    return told.getvalue()


def load(path, *options):
    told = io.StringIO()
    call_command("import_feedback", str(path), *options, stdout=told)
    return told.getvalue()


@pytest.mark.functional
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("file_format", LOSSLESS)
def test_nothing_is_lost_by_exporting_all_and_importing_into_an_emptied_table(many, tmp_path, file_format, ending):
    before, path = snapshot(), tmp_path / f"all.{file_format}{ending}"
    assert len(before) == len(NASTIER) + 4
    export(path, "--format", file_format, "--status", "all")
    empty_corrections()
    told = load(path)
    assert f"{len(before) - 1} corrections imported." in told
    assert "1 deleted ones noted that were never here" in told
    assert snapshot() == before


@pytest.mark.functional
@pytest.mark.parametrize("file_format", PLAIN)
def test_line_formats_keep_the_cleaned_text_and_every_label(many, tmp_path, file_format):
    expected = Counter(
        (one_line(row.text), frozenset(row.slugs()))
        for row in Correction.objects.all()
        if row.slugs() and one_line(row.text)
    )
    assert max(len(labels) for _, labels in expected) == 3
    path = tmp_path / "lines.txt"
    told = export(path, "--format", file_format, "--status", "all")
    assert f"{expected.total()} corrections written" in told
    assert "2 have no label or no word" in told
    assert f"{file_format} has no place for the tombstones of 1 deleted ones" in told
    empty_corrections()
    assert f"{expected.total()} corrections imported." in load(path)
    assert Counter((row.text, frozenset(row.slugs())) for row in Correction.objects.all()) == expected
    assert path.read_text().count("\n") == expected.total()


@pytest.mark.parametrize("file_format", [*LOSSLESS, *PLAIN])
def test_a_format_is_found_by_its_content_whatever_the_name(many, tmp_path, file_format):
    path = tmp_path / "export.data"
    export(path, "--format", file_format)
    empty_corrections()
    load(path)
    assert Correction.objects.count() >= 9


def test_only_approved_corrections_are_exported_unless_asked(many, tmp_path):
    for status in ("approved", "pending", "rejected", "withdrawn"):
        export(tmp_path / "some.jsonl", "--format", "jsonl", "--status", status)
        rows = [json.loads(line) for line in (tmp_path / "some.jsonl").read_text().split("\n")[:-1]]
        kept = [row for row in rows if row["status"] != "deleted"]
        assert len(kept) == Correction.objects.filter(status=status).exclude(text="").count()
        assert len(rows) == len(kept) + 1, "the tombstone of the withdrawn one goes with every export"
    export(tmp_path / "default.jsonl", "--format", "jsonl")
    rows = [json.loads(line) for line in (tmp_path / "default.jsonl").read_text().split("\n")[:-1]]
    assert {row["status"] for row in rows} == {"approved", "deleted"}


def test_a_spreadsheet_finds_no_formula_in_the_csv(many, tmp_path):
    export(tmp_path / "all.csv", "--status", "all")
    with (tmp_path / "all.csv").open(newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert any("cmd|" in cell for cell in cells)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_who_sent_or_reviewed_a_correction_is_not_exported(send, reviewer, tmp_path):
    correction = send(visitor="the visitors name")
    review(corrections=[correction.pk], status="approved", by=reviewer)
    for file_format in LOSSLESS:
        export(tmp_path / "out", "--format", file_format)
        content = (tmp_path / "out").read_text()
        assert correction.receipt in content
        assert "the visitors name" not in content
        assert "rita" not in content


def test_without_a_path_the_file_goes_to_standard_output(make_correction):
    make_correction(genres=("fantasy",), status="approved")
    out = io.StringIO()
    call_command("export_feedback", "--format", "fasttext", stdout=out, stderr=io.StringIO())
    assert out.getvalue() == f"__label__fantasy {DRAGON}\n"


def test_an_empty_export_has_a_header_and_imports_as_nothing(db, tmp_path):
    assert "0 corrections written" in export(tmp_path / "none.csv")
    assert "0 corrections imported." in load(tmp_path / "none.csv")


def test_a_gzip_export_is_gzip_and_the_same_bytes_each_time(many, tmp_path):
    export(tmp_path / "a.csv.gz")
    export(tmp_path / "b.csv.gz")
    export(tmp_path / "plain.csv")
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert (tmp_path / "a.csv.gz").read_bytes()[4:8] == bytes(4), "no time of writing stands in the file (RFC 1952)"
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == (tmp_path / "plain.csv").read_bytes()


def test_an_export_below_a_file_is_an_error_that_names_the_path(many, tmp_path):
    (tmp_path / "a-file").write_text("not a folder")
    with pytest.raises(CommandError, match=r"a-file/out\.csv can't be written"):
        export(tmp_path / "a-file" / "out.csv")
    assert (tmp_path / "a-file").read_text() == "not a folder"


def test_an_export_onto_a_folder_is_an_error_and_leaves_nothing(many, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommandError, match="can't be written"):
        export(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_a_full_disk_leaves_the_earlier_export_untouched(many, tmp_path, monkeypatch, name):
    path = tmp_path / name
    export(path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match="No space left"):
        export(path, "--status", "all")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.functional
@pytest.mark.parametrize("file_format", [*LOSSLESS, *PLAIN])
def test_importing_twice_adds_nothing(many, tmp_path, file_format):
    path = tmp_path / "all"
    export(path, "--format", file_format, "--status", "all")
    empty_corrections()
    load(path)
    count = Correction.objects.count()
    told = load(path)
    assert "0 corrections imported." in told
    n_left_alone = sum(int(number) for number in re.findall(r"(\d+) left alone: (?:here|deleted) already", told))
    assert n_left_alone == count
    assert Correction.objects.count() == count


@pytest.mark.parametrize("file_format", [*LOSSLESS, *PLAIN])
def test_importing_where_the_corrections_still_are_adds_nothing(many, tmp_path, file_format):
    before = snapshot()
    export(tmp_path / "all", "--format", file_format, "--status", "all")
    assert "0 corrections imported." in load(tmp_path / "all")
    assert snapshot() == before


def test_importing_an_older_export_does_not_bring_back_what_was_withdrawn(make_correction, tmp_path):
    correction = make_correction(genres=("fantasy",))
    export(tmp_path / "before.csv", "--status", "pending")
    withdraw(correction=correction)
    assert "1 left alone: here already (same receipt)" in load(tmp_path / "before.csv")
    assert [(row.status, row.text) for row in Correction.objects.all()] == [("withdrawn", "")]


@pytest.mark.parametrize("file_format", PLAIN)
def test_a_file_without_receipts_does_not_bring_back_a_text_that_was_withdrawn(make_correction, tmp_path, file_format):
    correction = make_correction(DRAGON.replace(" ", "\n"), genres=("fantasy",), status="approved")
    export(tmp_path / "before", "--format", file_format)
    withdraw(correction=correction)
    assert "1 left alone: its text was deleted here" in load(tmp_path / "before", "--status", "approved")
    assert [row.text for row in Correction.objects.all()] == [""]


def test_a_text_that_somebody_else_sent_too_is_not_deleted_with_the_first(make_correction, tmp_path):
    withdraw(correction=make_correction(genres=("fantasy",)))
    make_correction(genres=("cooking",))
    (tmp_path / "new.txt").write_text(f"__label__fantasy {DRAGON}\n")
    assert "1 corrections imported." in load(tmp_path / "new.txt")


def test_withdrawing_a_correction_of_the_sites_own_example_deletes_nothing_of_the_sites(make_correction, tmp_path):
    withdraw(correction=make_correction(genres=("fantasy",), source="example"))
    (tmp_path / "new.txt").write_text(f"__label__fantasy {DRAGON}\n")
    assert "1 corrections imported." in load(tmp_path / "new.txt")


@pytest.mark.parametrize("file_format", LOSSLESS)
def test_a_tombstone_tells_the_receipt_and_nothing_else(make_correction, tmp_path, file_format):
    correction = make_correction(genres=("fantasy",), shown=[["fantasy", 0.9]], note="gone", status="approved")
    withdraw(correction=correction)
    assert "0 corrections written" in export(tmp_path / "out", "--format", file_format)
    with (tmp_path / "out").open(newline="") as stream:
        (row,) = read_examples(stream, file_format)
    told = {name: value for name, value in row.extra.items() if value}
    assert (row.text, row.labels, told) == ("", (), {"document_id": correction.receipt, "status": "deleted"})


@pytest.mark.parametrize("file_format", LOSSLESS)
def test_what_a_file_says_was_deleted_is_deleted_where_it_is_read(make_correction, tmp_path, file_format):
    correction = make_correction(genres=("fantasy",), note="a secret", status="approved")
    kept = make_correction("The sorceress of the old throne", genres=("fantasy",), status="approved")
    old, new = tmp_path / "old", tmp_path / "new"
    export(old, "--format", file_format)
    withdraw(correction=correction)
    export(new, "--format", file_format)
    empty_corrections()
    load(old)
    assert "1 corrections deleted here, because the file says so." in load(new, "--status", "approved")
    rows = {row.receipt: row for row in Correction.objects.all()}
    gone = rows[correction.receipt]
    assert (gone.status, gone.text, gone.note) == ("withdrawn", "", "")
    assert trail(gone)[-1] == ("withdrawn", "import_feedback")
    assert rows[kept.receipt].text == kept.text
    assert "1 left alone: deleted already" in load(new)
    assert "2 left alone: here already (same receipt)" in load(old)


@pytest.mark.parametrize("file_format", LOSSLESS)
def test_a_tombstone_of_what_was_never_here_keeps_an_older_file_from_bringing_it(
    make_correction, tmp_path, file_format
):
    correction = make_correction(genres=("fantasy",), status="approved")
    old, new = tmp_path / "old", tmp_path / "new"
    export(old, "--format", file_format)
    withdraw(correction=correction)
    export(new, "--format", file_format)
    empty_corrections()
    assert "1 deleted ones noted that were never here" in load(new)
    assert "0 corrections imported." in load(old)
    assert [(row.receipt, row.text) for row in Correction.objects.all()] == [(correction.receipt, "")]


def test_a_row_that_says_withdrawn_is_a_tombstone_even_with_a_text(db, tmp_path):
    receipt = "abcdefghijklmnopqrstuv"
    (tmp_path / "old.csv").write_text(f"text,label,document_id,status\n{DRAGON},fantasy,{receipt},withdrawn\n")
    load(tmp_path / "old.csv")
    assert [(row.receipt, row.text, row.status) for row in Correction.objects.all()] == [(receipt, "", "withdrawn")]


def test_a_line_twice_in_one_file_is_stored_once(db, tmp_path):
    (tmp_path / "twice.txt").write_text(f"__label__cooking {DRAGON}\n" * 2)
    assert "1 corrections imported." in load(tmp_path / "twice.txt")
    assert Correction.objects.count() == 1


def test_the_same_text_with_other_genres_is_another_correction(db, tmp_path):
    (tmp_path / "two.txt").write_text(f"__label__cooking {DRAGON}\n__label__fantasy {DRAGON}\n")
    assert "2 corrections imported." in load(tmp_path / "two.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\nThe dragon,fantasy\nThe walrus,walrus tales\n", r"row 2: 'walrus tales' means no genre"),
        ("text,label,status\nThe dragon,fantasy,\nThe elf,fantasy,maybe\n", r"row 2: 'maybe' is no status"),
        ("text,label,status\nThe dragon,fantasy,\n,,deleted\n", r"row 2: it is deleted, but names no receipt"),
        ("text,label,verdict\nThe dragon,fantasy,\nThe elf,fantasy,maybe\n", r"row 2: 'maybe' is no verdict"),
        ("text,label,status\nThe dragon,fantasy,\nThe elf,,approved\n", r"row 2: an approved row needs a label"),
        ("text,label\nThe dragon,fantasy\n  ,fantasy\n", r"row 2: there is no text"),
        ("text,label,shown\nThe dragon,fantasy,\nThe elf,fantasy,elf=tall\n", r"row 2: .*'tall'"),
        ("text,label,shown\nThe dragon,fantasy,\nThe elf,fantasy,elf=nan\n", r"row 2: .*no number"),
        ("text,label\nThe dragon,fantasy\nThe elf,fantasy,romance\n", r"row 2 has more or fewer cells"),
        ("__label__fantasy The dragon\n__label__walrus The walrus\n", r"row 2: 'walrus' means no genre"),
        ("The dragon\t<urn:genre:fantasy>\nThe elf of the old wood\n", r"line 2 has no tab"),
        ('{"text": "The dragon", "labels": ["fantasy"]}\n{"text": 5}\n', r"line 2 needs an object"),
    ],
)
def test_a_file_with_one_bad_row_is_refused_whole_and_the_row_is_named(db, tmp_path, content, message):
    path = tmp_path / "bad"
    path.write_text(content)
    with pytest.raises(CommandError, match=message) as refused:
        load(path)
    assert str(path) in str(refused.value)
    assert not Correction.objects.exists()


def test_labels_may_be_names_aliases_or_headings(db, tmp_path):
    Genre.objects.filter(slug="fantasy").update(aliases="Wonder Tales")
    (tmp_path / "labels.csv").write_text('text,label\nThe dragon,"wonder tales|COOKING|Fiction / Romance / Regency"\n')
    load(tmp_path / "labels.csv")
    assert Correction.objects.get().slugs() == ("fantasy", "cooking", "romance")


def test_a_retired_genre_does_not_stand_in_the_way_of_bringing_an_export_back(make_correction, tmp_path):
    make_correction(genres=("fantasy", "cooking"), status="approved")
    Genre.objects.filter(slug="cooking").update(retired=True)
    before = snapshot()
    export(tmp_path / "old.csv")
    empty_corrections()
    load(tmp_path / "old.csv")
    assert snapshot() == before


def test_imported_rows_are_pending_unless_told_and_leave_a_trail(db, tmp_path):
    (tmp_path / "a.txt").write_text(f"__label__cooking {DRAGON}\n")
    (tmp_path / "b.txt").write_text("__label__fantasy The sorceress of the old throne\n")
    assert "Review them in the admin" in load(tmp_path / "a.txt")
    load(tmp_path / "b.txt", "--status", "approved")
    pending, approved = Correction.objects.order_by("pk")
    assert (pending.status, approved.status, approved.source) == ("pending", "approved", "import")
    assert trail(approved) == [("imported", "import_feedback")]


def test_what_json_may_spell_and_no_database_can_hold_is_left_out(db, tmp_path):
    record = r'{"text": "The dragon\u0000 and \ud800 the elf", "labels": ["fantasy"], "note": "\u0000half \udc00"}'
    (tmp_path / "odd.jsonl").write_text(record)
    load(tmp_path / "odd.jsonl", "--status", "approved")
    before = snapshot()
    assert [(row.text, row.note) for row in Correction.objects.all()] == [("The dragon and ? the elf", "half ?")]
    export(tmp_path / "back.csv")
    empty_corrections()
    load(tmp_path / "back.csv")
    assert snapshot() == before


def test_a_label_with_half_a_surrogate_pair_names_the_row(db, tmp_path):
    (tmp_path / "odd.jsonl").write_text(r'{"text": "The dragon", "labels": ["\ud800"]}')
    with pytest.raises(CommandError, match=r"row 1: .* means no genre"):
        load(tmp_path / "odd.jsonl")


def test_a_missing_file_is_wrong_usage(db, tmp_path):
    with pytest.raises(CommandError, match="does not exist"):
        load(tmp_path / "no-such-file.csv")


# What a database and a CSV file can hold: no NUL, no half of a surrogate pair.
CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
@pytest.mark.parametrize("file_format", LOSSLESS)
def test_writing_and_reading_is_identity_for_any_text_and_note(file_format, rows):
    stream = io.StringIO(newline="")
    examples = [LabelledText(text, ("fantasy",), at, {"note": note}) for at, (text, note) in enumerate(rows, start=1)]
    assert write_examples(examples, stream, file_format) == len(rows)
    stream.seek(0)
    assert list(read_examples(stream, file_format)) == examples


@pytest.mark.parametrize("identity", ["1", "a/b", "x" * 100])
def test_an_id_that_could_be_guessed_does_not_become_a_receipt(db, tmp_path, identity):
    path = tmp_path / "foreign.jsonl"
    path.write_text(
        json.dumps({"document_id": identity, "text": "a dragon and a wizard in a tower", "labels": ["fantasy"]})
    )
    call_command("import_feedback", path, stdout=io.StringIO())
    correction = Correction.objects.get()
    assert correction.receipt != identity
    assert len(correction.receipt) == 22


@pytest.mark.parametrize(("name", "length"), [("proposal", 81), ("note", 1001)])
def test_a_field_that_is_too_long_is_refused_by_row(db, tmp_path, name, length):
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"text": "a dragon in a tower", "labels": ["fantasy"], name: "x" * length}))
    with pytest.raises(CommandError, match=f"row 1: the {name} has more than {length - 1} characters"):
        call_command("import_feedback", path)
    assert not Correction.objects.exists()


@pytest.mark.functional
def test_a_reader_that_has_enough_ends_an_export_quietly(tmp_path):
    env = os.environ | {
        "SECRET_KEY": "x" * 60,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "genre_site.settings",
    }
    code = (
        "from django.core.management import call_command\n"
        "from feedback.actions import Imported, import_corrections\n"
        "call_command('migrate', verbosity=0)\n"
        "rows = [Imported(text=f'{n} ' * 20_000, genres=('fantasy',), status='approved') for n in range(10)]\n"
        "import_corrections(rows=rows, by='test')\n"
        "call_command('export_feedback', '--format', 'fasttext')\n"
    )
    script = tmp_path / "script.py"
    script.write_text(f"import django\ndjango.setup()\n{code}")
    result = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} {script} | head -c 10"],
        capture_output=True,
        text=True,
        check=True,
        env=env | {"PYTHONPATH": str(ROOT)},
    )
    assert result.stdout == "__label__f"
    assert "Traceback" not in result.stderr
