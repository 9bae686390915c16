"""E-books, Word documents and other archives made up for tests."""

import io
import zipfile

CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
OPF = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest>
<spine>{spine}</spine></package>"""
CHAPTER = """<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>unseen</title>
<style>p {{ color: red }}</style></head><body><h1>Chapter</h1><!-- unseen > too --><p>{text}</p></body></html>"""
RELATIONS = """<Relationships><Relationship Target="{part}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>
</Relationships>"""
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    """Return an archive of members: name to text or bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def epub(*texts, **more):
    """Return an e-book with a chapter for each text; ``more`` are members beside, ``__`` in a name for a slash."""
    numbers = range(1, len(texts) + 1)
    items = [f'<item id="c{n}" href="chapter%20{n}.xhtml#top" media-type="application/xhtml+xml"/>' for n in numbers]
    items.append('<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>')
    spine = ['<itemref idref="nav"/>', *(f'<itemref idref="c{n}"/>' for n in numbers), '<itemref idref="gone"/>']
    chapters = {f"OPS/chapter {n}.xhtml": CHAPTER.format(text=text) for n, text in zip(numbers, texts, strict=True)}
    members = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "OPS/nav.xhtml": CHAPTER}
    members["OPS/book.opf"] = OPF.format(items="".join(items), spine="".join(spine))
    return zipped(members | chapters | {name.replace("__", "/") + ".xml": text for name, text in more.items()})


def docx(body, part="word/document.xml", head=""):
    """Return a Word document with this XML in its body."""
    document = f"<?xml version='1.0'?>{head}<w:document {W}><w:body>{body}</w:body></w:document>"
    return zipped({"_rels/.rels": RELATIONS.format(part=part), part: document})


def paragraph(text):
    """Return a paragraph of a Word document, its words in two runs."""
    first, _, rest = text.partition(" ")
    return f'<w:p><w:r><w:t>{first}</w:t></w:r><w:r><w:t xml:space="preserve"> {rest}</w:t></w:r></w:p>'
