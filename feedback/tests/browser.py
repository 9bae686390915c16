"""Read a form as a browser would send it, so that a test posts what the page really offers."""

from collections import defaultdict
from html.parser import HTMLParser


class _Forms(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.forms = []
        self._textarea = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append((attrs.get("action", ""), defaultdict(list)))
        elif tag == "textarea":
            self._textarea = [attrs.get("name"), ""]
        elif tag == "input" and self.forms and attrs.get("name"):
            kind = attrs.get("type", "text")
            if kind in ("submit", "file") or (kind in ("checkbox", "radio") and "checked" not in attrs):
                return
            self.forms[-1][1][attrs["name"]].append(attrs.get("value", "on" if kind == "checkbox" else ""))

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        if self._textarea:
            self._textarea[1] += data

    def handle_endtag(self, tag):
        if tag == "textarea" and self._textarea:
            name, value = self._textarea
            self._textarea = None
            # HTML drops the first line break of a textarea and sends every other one as CRLF.
            value = value.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n").replace("\n", "\r\n")
            self.forms[-1][1][name].append(value)


def form_of(response, action):
    """Return the fields (name → list of values) of the form on the page that posts to ``action``."""
    parser = _Forms()
    parser.feed(response.content.decode())
    found = [dict(fields) for where, fields in parser.forms if where == action]
    assert found, f"no form posts to {action!r}; there are {[where for where, _ in parser.forms]}"
    return found[0]
