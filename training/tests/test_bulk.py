"""A whole catalogue predicted: every format in and out, rows that can't be read, what a second run keeps."""

import csv
import gzip
import hashlib
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from classifier.registry import load_version
from training.bulk.places import Place
from training.bulk.rows import Columns, Row, find_sources
from training.bulk.shards import _model, cut
from training.tests.helpers import refused, run

TEXTS = [
    "A dragon and a wizard meet in the enchanted castle",
    'Whisk "butter" and flour,\nthen bake the dough in the oven – 100 g of sugar; naïve crème brûlée 🍰',
    "The company’s market strategy, its profit and the investor",
]
IDS = ["b,1", "b“2”", "3"]
SLUGS = ["fantasy", "cooking", "business-economics"]
BOOKS = list(zip(IDS, TEXTS, strict=True))


def as_csv(books, header=("id", "text")):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([header, *books])
    return stream.getvalue().encode()


def as_jsonl(books, header=("id", "text")):
    return "".join(json.dumps(dict(zip(header, book, strict=True))) + "\n" for book in books).encode()


def as_parquet(books, header=("id", "text")):
    stream = io.BytesIO()
    pq.write_table(pa.table(dict(zip(header, map(list, zip(*books, strict=True)), strict=True))), stream)
    return stream.getvalue()


WRITE = {"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet}


def read_out(folder):
    """Return the answers of all shards, as JSON lines would hold them."""
    answers = []
    for path in sorted(folder.glob("part-*")):
        if path.suffix == ".jsonl":
            answers += [json.loads(line) for line in path.read_text().splitlines()]
        elif path.suffix == ".parquet":
            answers += pq.read_table(path).to_pylist()
        else:
            for row in csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")):
                pairs = [pair.split("=") for pair in row["genres"].split("|") if pair]
                row["genres"] = [{"slug": slug, "score": float(score)} for slug, score in pairs]
                row["chosen"] = [slug for slug in row["chosen"].split("|") if slug]
                row["abstained"], row["reason"] = row["abstained"] == "true", row["reason"] or None
                answers.append(row | {"version": int(row["version"])})
    return answers


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("wanted", WRITE)
@pytest.mark.parametrize("given", WRITE)
def test_every_format_is_read_and_written(given, wanted, tmp_path, champion):
    path = tmp_path / f"books.{given}"
    path.write_bytes(WRITE[given](BOOKS))
    said = run("predict_corpus", path, tmp_path / "out", "--format", wanted, "-l", 2)
    answers = read_out(tmp_path / "out")
    model = load_version(champion)
    expected = [
        [{"slug": slug, "score": round(score, 6)} for slug, score in model.predict(text).top(2)] for text in TEXTS
    ]
    assert [answer["id"] for answer in answers] == IDS
    assert [answer["genres"] for answer in answers] == expected
    assert [answer["genres"][0]["slug"] for answer in answers] == SLUGS
    assert {(answer["abstained"], answer["reason"], answer["version"]) for answer in answers} == {(False, None, 1)}
    assert said.startswith("3 rows in 1 shards (0 kept from before), version 1")


def test_the_manifest_accounts_for_everything_and_holds_no_text(tmp_path, champion):
    path = tmp_path / "books.csv"
    path.write_bytes(as_csv(BOOKS))
    run("predict_corpus", path, tmp_path / "out", "--shard-rows", 2)
    manifest = manifest_of(tmp_path / "out")
    assert (manifest["rows_in"], manifest["rows_out"], manifest["failures"]) == (3, 3, {"count": 0, "listed": []})
    assert manifest["model"]["version"] == 1
    assert manifest["model"]["sha256"] == champion.sha256
    assert manifest["inputs"] == [
        {
            "name": "books.csv",
            "rows": 3,
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
    ]
    assert [(shard["file"], shard["first_row"], shard["last_row"]) for shard in manifest["shards"]] == [
        ("part-000000.csv", 1, 2),
        ("part-000001.csv", 3, 3),
    ]
    for shard in manifest["shards"]:
        assert hashlib.sha256((tmp_path / "out" / shard["file"]).read_bytes()).hexdigest() == shard["sha256"]
    assert not any(b"dragon" in content for content in files_of(tmp_path / "out").values())


def pack_zst(data):
    # Two frames, as parallel compressors write them.
    half = len(data) // 2
    return b"".join(zstandard.compress(part) for part in (data[:half], data[half:]))


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", pack_zst)])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_packed_file_is_read_and_a_cut_one_refused(kind, ending, pack, tmp_path, champion):
    path = tmp_path / f"books.{kind}.{ending}"
    path.write_bytes(pack(WRITE[kind](BOOKS)))
    run("predict_corpus", path, tmp_path / "out")
    assert [answer["id"] for answer in read_out(tmp_path / "out")] == IDS
    assert manifest_of(tmp_path / "out")["inputs"][0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes()[:-9])
    code, message = refused("predict_corpus", path, tmp_path / "out")
    assert (code, f"{path.name} can't be read after row" in message) == (1, True)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path, champion):
    folder = tmp_path / "catalogue"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "2.jsonl").write_bytes(as_jsonl(BOOKS[1:2]))
    (folder / "a.csv").write_bytes(as_csv([(TEXTS[0],)], header=["text"]))
    (folder / "c.parquet").write_bytes(as_parquet(BOOKS[2:]))
    (folder / ".hidden.csv").write_text("no catalogue")
    (folder / "notes.txt").write_text("no catalogue")
    run("predict_corpus", folder, tmp_path / "out")
    answers = read_out(tmp_path / "out")
    assert [answer["id"] for answer in answers] == ["a.csv:1", IDS[1], IDS[2]]
    assert [answer["genres"][0]["slug"] for answer in answers] == SLUGS
    assert [source["name"] for source in manifest_of(tmp_path / "out")["inputs"]] == ["a.csv", "b/2.jsonl", "c.parquet"]


@pytest.mark.parametrize("content", [b"", b"id,text\r\n", b"\xef\xbb\xbfid,text\n\n"])
def test_an_empty_file_gives_a_manifest_and_no_shard(content, tmp_path, champion):
    (tmp_path / "books.csv").write_bytes(content)
    run("predict_corpus", tmp_path / "books.csv", tmp_path / "out")
    manifest = manifest_of(tmp_path / "out")
    assert (manifest["rows_in"], manifest["rows_out"], manifest["shards"]) == (0, 0, [])


@pytest.mark.parametrize("kind", WRITE)
def test_a_missing_column_is_named_with_those_there_are(kind, tmp_path, champion):
    path = tmp_path / f"books.{kind}"
    path.write_bytes(WRITE[kind](BOOKS, header=["isbn", "blurb"]))
    code, message = refused("predict_corpus", path, tmp_path / "out")
    assert code == 1
    assert f"books.{kind} has no column 'text'; it has isbn, blurb. Name the right one with --text-column." in message
    code, message = refused("predict_corpus", path, tmp_path / "out", "--text-column", "blurb", "--id-column", "no")
    assert "no column 'no'; it has isbn, blurb. Name the right one with --id-column." in message
    run("predict_corpus", path, tmp_path / "out", "--text-column", "blurb", "--id-column", "isbn")
    assert [answer["id"] for answer in read_out(tmp_path / "out")] == IDS


def test_csv_rows_that_cannot_be_read_are_listed_by_number_and_the_others_answered(tmp_path, champion, settings):
    settings.GENRE_MAX_TEXT_BYTES = 300
    rows = [
        b"id,text",
        b"1,the dragon and the wizard in the castle",
        b"2,one,two",
        b'3,"a quote" inside',
        b"4,caf\xe9 dragon wizard castle sword spell",
        b"5," + "é".encode() * 151,
        b"6,dragon",
        b"7,",
        b"8,1234 5678 9 10 11 12 13",
        b"",
        b"9,bake the butter and flour in the oven",
        b'10,"never closed',
    ]
    (tmp_path / "books.csv").write_bytes(b"\n".join(rows))
    said = run("predict_corpus", tmp_path / "books.csv", tmp_path / "out")
    reasons = [answer["reason"] for answer in read_out(tmp_path / "out")]
    bad = "unreadable"
    assert reasons == [None, bad, bad, bad, "too-long", "too-short", "no-words", "not-prose", None, bad]
    failures = manifest_of(tmp_path / "out")["failures"]
    assert failures["count"] == 5
    assert [(failure["row"], failure["reason"]) for failure in failures["listed"]] == [
        (2, bad),
        (3, bad),
        (4, bad),
        (5, "too-long"),
        (10, bad),
    ]
    assert failures["listed"][3]["detail"] == "302 bytes, at most 300 are read"
    assert "5 rows could not be read; manifest.json lists them." in said.err
    code, message = refused("predict_corpus", tmp_path / "books.csv", tmp_path / "out", "--strict")
    assert (code, message) == (1, "5 rows could not be read; manifest.json lists them.")


def test_json_lines_that_cannot_be_read_are_listed_by_line(tmp_path, champion):
    lines = [
        json.dumps({"id": 1, "text": TEXTS[0]}).encode(),
        b'{"id": 2, "text": ',
        b"[1, 2]",
        b'{"id": 4}',
        b'{"id": 5, "text": 7}',
        b'{"id": 6, "text": "caf\xe9"}',
        b"",
        b'{"id": "\\ud800", "text": "the \\ud800 dragon and wizard in the castle"}',
        b'{"id": null, "text": null}',
    ]
    (tmp_path / "books.jsonl").write_bytes(b"\n".join(lines))
    run("predict_corpus", tmp_path / "books.jsonl", tmp_path / "out")
    answers = read_out(tmp_path / "out")
    failures = manifest_of(tmp_path / "out")["failures"]["listed"]
    assert [failure["row"] for failure in failures] == [2, 3, 4, 5, 6]
    assert [answer["id"] for answer in answers][-2:] == ["?", "books.jsonl:9"]
    assert [answer["reason"] for answer in answers][-2:] == [None, "no-words"]


def test_a_second_run_keeps_what_is_finished_and_does_the_rest_again(tmp_path, champion):
    path, out = tmp_path / "books.csv", tmp_path / "out"
    path.write_bytes(as_csv(BOOKS))
    arguments = ("predict_corpus", path, out, "--shard-rows", 1)
    run(*arguments)
    first = files_of(out)
    assert "(3 kept from before)" in run(*arguments)
    (out / "manifest.json").unlink()
    (out / "part-000001.csv").write_text("damaged")
    (out / "_records" / "part-000002.json").unlink()
    (out / ".part-000002.csv.cut.tmp").write_text("half")
    assert "(1 kept from before)" in run(*arguments)
    assert files_of(out) == first
    # Another text, other settings.
    path.write_bytes(as_csv([BOOKS[0], ("new", TEXTS[0])]))
    assert "2 rows in 2 shards (1 kept" in run(*arguments)
    assert sorted(files.name for files in out.glob("part-*")) == ["part-000000.csv", "part-000001.csv"]
    assert "(0 kept" in run(*arguments, "-l", 1)


def test_another_model_does_every_shard_again(tmp_path, champion, make_version):
    path, out = tmp_path / "books.csv", tmp_path / "out"
    path.write_bytes(as_csv(BOOKS))
    run("predict_corpus", path, out)
    other = make_version(canaries=[])
    assert "(0 kept from before), version 2" in run("predict_corpus", path, out, "--model", other.number)
    assert {answer["version"] for answer in read_out(out)} == {2}


def test_a_model_that_changes_meanwhile_is_refused(tmp_path, champion, model_dir, monkeypatch):
    path = tmp_path / "books.csv"
    path.write_bytes(as_csv(BOOKS))
    monkeypatch.setattr("training.bulk.shards.read_meta", lambda folder: champion.meta | {"thresholds": None, "x": 1})
    _model.cache_clear()
    code, message = refused("predict_corpus", path, tmp_path / "out")
    assert (code, "holds another model than the one this run began with" in message) == (1, True)


def test_a_model_with_thresholds_names_the_closest_genres_and_abstains(tmp_path, unsure_champion):
    path = tmp_path / "books.csv"
    path.write_bytes(as_csv(BOOKS))
    run("predict_corpus", path, tmp_path / "out")
    answers = read_out(tmp_path / "out")
    assert {(answer["reason"], answer["abstained"], *answer["chosen"]) for answer in answers} == {("no-genre", True)}
    assert [answer["genres"][0]["slug"] for answer in answers] == SLUGS


def test_an_address_of_fsspec_is_read_and_written(tmp_path, champion):
    Place.at("memory://catalogue/books.csv").write(as_csv(BOOKS))
    run("predict_corpus", "memory://catalogue", "memory://genres/2026", "--shard-rows", 2)
    run("predict_corpus", "memory://catalogue", "memory://genres/2026", "--shard-rows", 2)
    names = {place.path for place in Place.at("memory://genres").files()}
    assert "/genres/2026/manifest.json" in names
    data = Place.at("memory://genres/2026/part-000001.csv").read()
    assert data.decode().splitlines()[1].startswith("3,business-economics=")


def test_wrong_usage_exits_2_and_says_what_to_do(tmp_path, champion):
    path = tmp_path / "books.csv"
    path.write_bytes(as_csv(BOOKS))
    for arguments, said in [
        ((tmp_path / "none.csv", tmp_path / "out"), "does not exist"),
        ((path, path), "lies inside IN"),
        ((tmp_path, tmp_path / "out"), "lies inside IN"),
        (("gs://bucket/books", tmp_path / "out"), "pip install gcsfs"),
        (("nonsense://bucket", tmp_path / "out"), "nonsense"),
        ((path, tmp_path / "out", "--jobs", 0), "at least 1"),
        ((path, tmp_path / "out", "-l", 0), "at least 1"),
        ((path, tmp_path / "out", "-t", 2), "from 0 to 1"),
    ]:
        code, message = refused("predict_corpus", *arguments)
        assert (code, said in message) == (2, True), message
    (tmp_path / "empty").mkdir()
    code, message = refused("predict_corpus", tmp_path / "empty", tmp_path / "out")
    assert (code, "holds no file named .csv" in message) == (1, True)


def test_a_parquet_column_of_numbers_is_no_column_of_texts(tmp_path, champion):
    path = tmp_path / "books.parquet"
    pq.write_table(pa.table({"text": [1, 2]}), path)
    assert "holds int64, not strings" in refused("predict_corpus", path, tmp_path / "out")[1]
    path.write_bytes(b"PAR1 and nothing")
    assert "is not sound Parquet" in refused("predict_corpus", path, tmp_path / "out")[1]


@pytest.mark.functional
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=8)), max_size=20))
def test_any_text_comes_back_from_json_lines_as_it_was(books):
    place = Place.at("memory://any/books.jsonl")
    place.write(as_jsonl(books, header=["text", "id"]))
    (source,) = find_sources(place, Columns())
    assert [row.text for row in source.rows()] == [text for text, _ in books]


@given(st.lists(st.integers(0, 9)), st.integers(1, 5), st.integers(1, 20))
def test_shards_hold_every_row_once_in_order_within_their_limits(sizes, most_rows, most_bytes):
    rows = [Row(number, "", "x" * size) for number, size in enumerate(sizes, start=1)]
    shards = list(cut("a", rows, first=3, most_rows=most_rows, most_bytes=most_bytes))
    assert [row for shard in shards for row in shard.rows] == rows
    assert [shard.index for shard in shards] == list(range(3, 3 + len(shards)))
    for shard in shards:
        assert len(shard.rows) <= most_rows
        assert len(shard.rows) == 1 or sum(len(row.text) for row in shard.rows) <= most_bytes
