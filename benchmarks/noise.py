"""Texts that are no book's description, pasted by mistake: the inputs for which no genre is the right answer.

Five kinds, equally many: random letters, program source, tables of numbers, prose in other languages, lists of names.

The thresholds by which the product abstains were set without these generators, and these were written without
reading those rules or running a model. Never tune on them: a figure measured on them would then mean nothing.
"""

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, repeat
from pathlib import Path
from random import Random
from string import ascii_lowercase, digits

KINDS = ("letters", "code", "tables", "languages", "names")
LOWEST, HIGHEST = 15, 150
DATA = tomllib.loads(Path(__file__).with_name("noise_languages.toml").read_text(encoding="utf-8"))
LANGUAGES: dict[str, list[str]] = DATA["prose"]
PIECES: dict[str, list[str]] = {format_: pieces.split("\n~\n") for format_, pieces in DATA["source"].items()}
# Chinese and Japanese put no space between sentences, nor between words: two characters count as a word.
UNSPACED = ("chinese", "japanese")
WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]{1,2}|[^\s,;|\u3040-\u30ff\u4e00-\u9fff]+")
Maker = Callable[[Random], str]


def noise_inputs(n: int = 1000, *, seed: int = 0) -> list[tuple[str, str]]:
    """Make ``n`` different inputs that have no genre; the first ones stay the same when ``n`` grows.

    Parameters
    ----------
    n
        How many. The kinds take turns, so their counts differ by one at most.
    seed
        The same seed gives the same inputs.

    Returns
    -------
    list of (kind, text)
        ``kind`` is one of ``KINDS``; ``text`` has between ``LOWEST`` and ``HIGHEST`` words by ``count_words``.
    """
    random = Random(seed)
    turns = {kind: cycle(makers) for kind, makers in MAKERS.items()}
    seen: set[str] = set()
    inputs = []
    for _, kind in zip(range(n), cycle(KINDS), strict=False):
        make = next(turns[kind])
        text = next(text for text in map(make, repeat(random)) if is_new(text, seen))
        seen.add(text)
        inputs.append((kind, text))
    return inputs


def count_words(text: str) -> int:
    """Count the runs between white space, commas, semicolons and bars that hold a letter or a digit."""
    return sum(any(map(str.isalnum, run)) for run in WORD.findall(text))


def is_new(text: str, seen: set[str]) -> bool:
    """Tell whether ``text`` has an allowed length and was not made before."""
    return LOWEST <= count_words(text) <= HIGHEST and text not in seen


def some(random: Random, pool: Sequence[str], low: int, high: int) -> list[str]:
    """Return between ``low`` and ``high`` items of ``pool``, each as often as it is drawn."""
    return random.choices(pool, k=random.randint(low, high))


# --- letters -------------------------------------------------------------------------------------------------------

ONSETS = "b c d f g h j k l m n p r s t v w z bl br ch cl cr dr fl fr gr kn pl pr qu sc sh sk sl sp st tr wh".split()
VOWELS = "a e i o u y ai ea ee oa oo ou ie au".split()
CODAS = "b d g k l m n p r s t x ck ff ld ll lt mp nd ng nk nt rk rm rn rt sh sk sp ss st th".split()
ENDINGS = "er ing ed le ly ish ness ment able ous ton ward ish est".split()
KEYBOARD = "qwertyuiop asdfghjkl zxcvbnm qazwsx plokmij 1234567890 asdf jkl; fdsa".split()
CYRILLIC, GREEK = "абвгдежзийклмнопрстуфхцчшщыэюя", "αβγδεζηθικλμνξοπρστυφχψω"
FILLER = """lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore
magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo consequat duis
aute irure in reprehenderit voluptate velit esse cillum fugiat nulla pariatur excepteur sint occaecat""".split()


def letters_of(alphabet: str, random: Random) -> str:
    """Return a word of independent letters."""
    return "".join(some(random, alphabet, 1, 11))


def syllables(random: Random) -> str:
    """Return a word that can be pronounced, like those of no language in particular."""
    return "".join(random.choice(ONSETS) + random.choice(VOWELS) for _ in range(random.randint(1, 4)))


def almost_english(random: Random) -> str:
    """Return a word with the sounds and the endings of English; a few are English by chance."""
    stem = random.choice(ONSETS) + random.choice(VOWELS) + random.choice(CODAS)
    return stem + random.choice(["", "", *ENDINGS])


def mashed(random: Random) -> str:
    """Return keys struck in a row, some of them stuck."""
    row = random.choice(KEYBOARD)
    start = random.randrange(len(row) - 2)
    keys = row[start : start + random.randint(2, 8)][:: random.choice([1, -1])]
    return keys * random.randint(1, 2) + random.choice(keys) * random.randint(0, 3)


def filler(random: Random) -> str:
    """Return a word of the printers' dummy text."""
    return random.choice(FILLER)


def gibberish(word: Maker, random: Random) -> str:
    """Write 15 to 90 made-up words with the casing and the punctuation of one writer."""
    words = [word(random) for _ in range(random.randint(LOWEST, 90))]
    casing = random.choice(["lower", "upper", "title", "sentence", "sentence", "mixed", "as it is"])
    marks = random.choice(["", ",", ",.", ",.?!", ".-:", "!", ";/#&*"])
    pace = random.choice([0.05, 0.15, 0.4])
    written, starts = [], True
    for word_ in words:
        mark = random.choice(marks) if marks and random.random() < pace else ""
        written.append(cased(word_, "title" if starts and casing == "sentence" else casing, random) + mark)
        starts = bool(mark) and mark in ".?!"
    return random.choice([" ", " ", " ", "\n", "  "]).join(written)


def cased(word: str, casing: str, random: Random) -> str:
    """Return ``word`` in a casing."""
    if casing == "mixed":
        return "".join(random.choice([letter.upper(), letter]) for letter in word)
    changes: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "title": str.capitalize}
    return changes.get(casing, str)(word)


# --- code ----------------------------------------------------------------------------------------------------------

WRAPPED = {
    "html": ("<!DOCTYPE html>\n<html>\n<body>\n", "\n</body>\n</html>"),
    "xml": ('<?xml version="1.0" encoding="UTF-8"?>\n<root>\n', "\n</root>"),
}
NAME_PARTS = """get set load parse user item node buf idx cnt tmp total path cfg key val row col req ctx next prev init max
sum hash queue token cache flag page size order customer account email image button message price product event city
student score player map color title author""".split()
REMARKS = """TODO remove after the migration|retry once, then give up|handle the empty list|see ticket 4~n|do not change|
off by one here?|must be called with the lock held|returns null on failure|default is ~n|FIXME: leaks memory|
not thread safe|deprecated since 2.~n|invalid value for ~w|keep in sync with ~w""".replace("\n", "").split("|")


def identifier(random: Random) -> str:
    """Return a name as programmers form them, or a few letters."""
    parts = some(random, NAME_PARTS, 1, 3)
    return random.choice(
        [
            "_".join(parts),
            parts[0] + "".join(map(str.capitalize, parts[1:])),
            "".join(map(str.capitalize, parts)),
            "".join(some(random, ascii_lowercase, 2, 6)),
        ]
    )


def fill(piece: str, random: Random) -> str:
    """Replace the marks of ``piece``; those of a remark too."""
    names = {mark: identifier(random) for mark in "abc"}
    values: dict[str, Maker] = {
        "n": lambda random: str(random.randrange(10 ** random.randint(1, 3))),
        "d": lambda random: random.choice(digits),
        "w": lambda random: random.choice(NAME_PARTS),
        "h": lambda random: f"{random.getrandbits(32):08x}",
        "r": lambda random: fill(random.choice(REMARKS), random),
    }
    return re.sub(r"~([a-dhnrw])", lambda mark: names.get(mark[1]) or values[mark[1]](random), piece)


def source(language: str, random: Random) -> str:
    """Write two to six pieces of a program, or of a file in that format, each twice at most."""
    before, after = WRAPPED.get(language, ("", ""))
    chosen = random.sample(PIECES[language] * 2, random.randint(2, 6))
    return before + random.choice(["\n", "\n\n"]).join(fill(piece, random) for piece in chosen) + after


def json_source(random: Random) -> str:
    """Write a JSON object, indented or not."""
    return json.dumps(json_object(random, 3), indent=random.choice([None, 2, 4]))


def json_object(random: Random, depth: int) -> dict[str, object]:
    """Return an object at most ``depth`` levels deep."""
    members: dict[str, object] = {}
    for _ in range(random.randint(2, 6)):
        value: list[object] = [random.randrange(1000), random.random() < 0.5, None, identifier(random)]
        if depth > 1:
            value += [json_object(random, depth - 1), [json_object(random, 1) for _ in range(2)], [1, 2, 3]]
        members[identifier(random)] = random.choice(value)
    return members


# --- tables --------------------------------------------------------------------------------------------------------

HEADINGS = "id no date qty total mean min max sd x y z t price net vat code rate lat lon year q1 q2 q3 q4 sum".split()
MEASURED = "temp pressure height width depth weight speed flow volume load t p v I U R_1 R_2".split()
UNITS = "kg g m cm km °C % mm s ms kWh € $ £ l hPa rpm dB".split()
ENTRIES = """rent|electricity|stationery|postage|bank fee|transfer|refund|salary|train ticket|insurance|opening balance|
invoice 20~n|deposit|cash|water|repairs|VAT""".replace("\n", "").split("|")


def column(random: Random) -> Maker:
    """Return what writes a column's numbers, all of one form and size."""
    size = 10 ** random.randint(1, 5)
    form = random.choice(["{:.0f}", "{:.0f}", "{:.2f}", "{:.2f}", "{:+.1f}", "{:,.2f}", "{:.3e}"])
    if random.random() < 0.2:
        form += f" {random.choice(UNITS)}"
    lowest, holes = random.choice([0, 0, -size]), random.choice([0, 0, 0.2])
    return lambda random: (
        random.choice(["", "-"]) if random.random() < holes else form.format(random.uniform(lowest, size))
    )


def date(random: Random) -> str:
    """Return a date."""
    return f"{random.randint(1998, 2024)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"


def code(random: Random) -> str:
    """Return an article's number."""
    return f"{random.choice(ascii_lowercase).upper()}{random.randrange(10_000):04d}"


def grid(random: Random) -> list[list[str]]:
    """Return the cells of a table, under short headings or none; the first column may hold dates or codes."""
    columns = [column(random) for _ in range(random.randint(2, 8))]
    if random.random() < 0.6:
        columns[0] = random.choice([date, code])
    rows = [[write(random) for write in columns] for _ in range(random.randint(4, 20))]
    if random.random() < 0.5:
        casing = random.choice([str.lower, str.upper])
        rows.insert(0, [casing(name) for name in random.sample(HEADINGS, len(columns))])
    return rows


def separated(separator: str, random: Random) -> str:
    """Write a table with ``separator`` between its cells, and quotes around those that hold one."""
    rows = [[f'"{cell}"' if separator in cell else cell for cell in row] for row in grid(random)]
    return "\n".join(separator.join(row) for row in rows)


def aligned(random: Random) -> str:
    """Write a table in columns, to the right or to the left."""
    rows = grid(random)
    side = random.choice("<>")
    widths = [max(map(len, cells)) + 2 for cells in zip(*rows, strict=True)]
    return "\n".join("".join(f"{cell:{side}{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def barred(random: Random) -> str:
    """Write a table in Markdown."""
    first, *rest = grid(random)
    rows = [first, ["---"] * len(first), *rest]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def ledger(random: Random) -> str:
    """Write dated entries with amounts and the balance they leave."""
    balance, gap, lines = random.uniform(100, 9000), random.choice(["\t", "  ", "; "]), []
    for _ in range(random.randint(4, 16)):
        amount = random.uniform(-900, 900)
        balance += amount
        cells = [date(random), fill(random.choice(ENTRIES), random), f"{amount:+.2f}", f"{balance:,.2f}"]
        lines.append(gap.join(cells))
    if random.random() < 0.4:
        lines.insert(0, gap.join(["Date", "Entry", "Amount", "Balance"]))
    return "\n".join(lines)


def readings(random: Random) -> str:
    """Write measurements, each a short heading, a number and its unit."""
    sign, end = random.choice(["=", ": ", " "]), random.choice(["\n", ", ", " | "])
    names = some(random, MEASURED, 8, 40)
    return end.join(f"{name}{sign}{random.uniform(0, 500):.1f} {random.choice(UNITS)}" for name in names)


# --- languages -----------------------------------------------------------------------------------------------------


def prose(language: str, random: Random) -> str:
    """Write two to six sentences, none twice, in a language other than English."""
    sentences = random.sample(LANGUAGES[language], random.randint(2, 6))
    return ("" if language in UNSPACED else random.choice([" ", " ", "\n"])).join(sentences)


# --- names ---------------------------------------------------------------------------------------------------------

# A line an origin: given names | family names. Who bears a name that comes of them does so by chance.
PEOPLE = [
    [half.split() for half in line.split("|")]
    for line in """Alison Graham Judith Nigel Tessa Rowan | Hargreave Pettifer Lockley Tunstall Wickens Ainsby
Ngozi Chidi Amaka Tunde Folasade Emeka | Okwuosa Adeyinka Nwabueze Balogun Ezeani Olatunbosun
Ingrid Sven Astrid Torbjörn Maja Gunnar | Lindqvist Hallström Nyberg Ekdahl Söderholm Wallgren
Marta Tomasz Zofia Paweł Agnieszka Wojtek | Wrzesińska Kowalik Sadowska Pietrzak Górniak Bielawa
Lucía Andrés Pilar Joaquín Nuria Ramiro | Etxeberri Villaseca Cantalapiedra Robledo Quintanar Olmedilla
Camille Étienne Margaux Benoît Solène Thibault | Desrosiers Lachenal Bourdillon Vauquelin Peyrard Tissot
Hiroko Kenji Ayumi Takumi Naoko Shunsuke | Murakoshi Kuwabara Shirota Nagamine Hosokai Tsukuda
Meera Rohan Lakshmi Anil Kavita Suresh | Bhattarai Deshmane Iyengaran Kulkarni Thakkar Venkatesan
Layla Omar Hanan Yusuf Samira Tariq | Al-Khouri Haddadin Mansouri Bensalem Qasimi Darwazeh
Mei Jianguo Xiaoling Wei Lihua Zhiqiang | Ouyang Fang Shao Dong Meng Qiu
Leilani Sione Mele Tevita Ana Kalani | Tupouniua Kahananui Faleafa Vainikolo Makoare Pohatu
Svetlana Dmitri Oksana Yevhen Irina Bohdan | Kravchuk Zaitseva Holub Morozenko Tarasiuk Lysenkova""".splitlines()
]
PLACES = """Gdynia Uppsala Cork Bergamo Tampere Graz Nantes Coimbra Salamanca Patras Izmir Aleppo Isfahan Multan Kochi
Chiang_Mai Hue Kaohsiung Sapporo Busan Cebu Medan Darwin Dunedin Suva Apia Hilo Tacoma Regina Oaxaca Medellín Arequipa
Valparaíso Rosario Recife Dakar Kumasi Enugu Mwanza Nakuru Harare Gaborone Durban Antananarivo Tunis Agadir Split Brno
Szeged Cluj Varna Lviv Tartu Kaunas Little_Marlow Upper_Slaughter Stow_on_the_Wold Ballycastle Llandudno""".split()
ROLES = """treasurer|chair|secretary|goalkeeper|violin|sales|room 2~n|table ~n|absent|present|dep. manager|class 3B|
reserve""".replace("\n", "").split("|")
TITLES = ["Dr", "Prof.", "Ms", "Mr", "Mrs", "Rev.", "Capt.", "Sra.", "Ing."]


def person(random: Random) -> tuple[str, str]:
    """Return a given name and a family name, of one origin more often than not."""
    given, family = random.choice(PEOPLE), random.choice(PEOPLE)
    if random.random() < 0.8:
        family = given
    middle = f" {random.choice(ascii_lowercase).upper()}." if random.random() < 0.15 else ""
    return random.choice(given[0]) + middle, random.choice(family[1])


def plain(random: Random) -> str:
    """Return a name."""
    return " ".join(person(random))


def turned(random: Random) -> str:
    """Return the family name first, the given name whole or as an initial."""
    given, family = person(random)
    return f"{family}, {random.choice([given, given, given[0] + '.'])}"


def titled(random: Random) -> str:
    """Return a name with a title."""
    return f"{random.choice(TITLES)} {plain(random)}"


def with_role(random: Random) -> str:
    """Return a name and what it stands on the list for."""
    return f"{random.choice([plain, turned])(random)} – {fill(random.choice(ROLES), random)}"


def addressed(random: Random) -> str:
    """Return a name with its address, as mail programs write recipients."""
    given, family = person(random)
    if random.random() < 0.3:
        return f"{given} {family} <{given[0]}.{family}@example.org>".lower()
    return f'"{given} {family}" <{family.lower()}{random.randrange(99)}@example.org>'


def place(random: Random) -> str:
    """Return a town."""
    return random.choice(PLACES).replace("_", " ")


def numbered_place(random: Random) -> str:
    """Return a town with a postcode or a distance."""
    town = place(random)
    return random.choice([f"{random.randrange(10_000, 99_999)} {town}", f"{town} {random.randint(2, 900)} km"])


def someone_somewhere(random: Random) -> str:
    """Return a name and a town."""
    return f"{plain(random)} ({place(random)})"


def listed(entry: Maker, ends: Sequence[str], random: Random) -> str:
    """Write at most 40 entries, none twice, numbered or not, in order or not, one of ``ends`` between them."""
    entries = list(dict.fromkeys(entry(random) for _ in range(random.randint(6, 40))))
    end = random.choice(ends)
    if random.random() < 0.4:
        entries.sort()
    if end == "\n" and random.random() < 0.3:
        entries = [f"{at}. {name}" for at, name in enumerate(entries, start=1)]
    return end.join(entries)


ANY_END, NO_COMMA = (", ", "\n", "; "), ("\n", "; ")
MAKERS: dict[str, list[Maker]] = {
    "letters": [
        *(partial(gibberish, word) for word in (syllables, almost_english, mashed, filler)),
        *(
            partial(gibberish, partial(letters_of, alphabet))
            for alphabet in (ascii_lowercase, "bcdfghjklmnpqrstvwxz", ascii_lowercase + digits, CYRILLIC, GREEK)
        ),
    ],
    "code": [*(partial(source, language) for language in PIECES), json_source],
    "tables": [*(partial(separated, mark) for mark in (",", ";", "\t", "  ")), aligned, barred, ledger, readings],
    "languages": [partial(prose, language) for language in LANGUAGES],
    "names": [
        *(partial(listed, entry, ANY_END) for entry in (plain, titled, place, numbered_place, someone_somewhere)),
        *(partial(listed, entry, NO_COMMA) for entry in (turned, with_role, addressed)),
    ],
}
