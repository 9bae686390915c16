"""Texts that break careless file formats. Each has five words or more, and one the small model knows, so
that the page takes it and answers.
"""

NASTY = (
    'Commas, and "quotes", and a ""doubled"" pair around the dragon of the castle',
    "First line of the spell\r\nsecond line of it\r\n\r\nfourth line, after a gap",
    "=cmd|' /C calc'!A0 whisk the butter and the flour until smooth",
    "'=x an apostrophe stood here before the formula of the investor",
    "''+1 two apostrophes and then a plus before the revenue",
    "-1 per cent of revenue, said the manager of the company",
    "@SUM(A1:A9) of the sugar and the garlic in this dough",
    "\ttabs before\tand inside the recipe for old bread",
    "__label__x __label__fantasy stand inside this text about a market",
    "The wizard 🧙‍♂️ feeds his dragon 🐉 on garlic 🧄 and flour",
    "The dragon ספר על דרקון וקוסם בממלכה ישנה ‏ كتاب عن التنين والساحر",
    "Pipes a|b|c, semicolons; and backslashes \\n \\ end the budget",
    "<script>alert('x')</script> & &amp; the customer of the startup",
    '{"text": "looks like JSON", "labels": ["cooking"]} and the oven goes on',
    "<urn:genre:cooking> looks like a subject of the old library",
    'The prophecy ends with a quotation mark, as they say, “so” "',
)

# What a browser never sends (it makes every line break CRLF), but a file or the API may.
NASTIER = (
    *NASTY,
    "A lone carriage\rreturn, a bare\nline feed, two blanks at the end  ",
    "\r=begins with a carriage return, then the sorceress",
    "Unicode line\u2028separator, next\x85line, no-break\xa0space, zero\u200bwidth",
    "\ufeffA byte order mark before the throne of the elf",
    "'",
    '"',
)
