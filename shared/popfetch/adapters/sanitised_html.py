"""The HTML of mail, made harmless by nh3 (ammonia): elements, attributes and addresses of an allow-list, and no others.

What is written is the library's own serialisation of the tree that it has built as a browser would, so that nothing
means another thing there than it did here. Style sheets go by a way of their own, through ``sanitised_css``, and stand
before everything else, where nothing of the HTML can get into them.

A hostile document can take a parser of HTML time and memory that grow with its square; what is not surely cheap is
for ``sanitising_process``.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import nh3

from popfetch.adapters.sanitised_css import Css
from popfetch.ports.stored_mail import CleanHtml

LONGEST_IMAGES = 2_400_000
"""Characters of all ``data:`` addresses in a document."""

CHEAP_TAGS = 4_000
CHEAP_CHARACTERS = 300_000
CHEAP_CSS = 60_000
CHEAP_PIECES = 1_500
"""As many tags, characters, characters of styles, and pieces of one tag surely take less than a second together."""

_LONGEST_VALUE = 10_000


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "a abbr acronym address area article aside b bdi bdo big blockquote br caption center cite code col colgroup dd "
    "del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd label "
    "legend li main map mark menu nav nobr ol p pre q rp rt ruby s samp section small span strike strong sub "
    "summary sup table tbody td tfoot th thead time tr tt u ul var wbr"
)
_WITHOUT_CONTENT = _words(
    "applet audio canvas embed frameset iframe math noembed noframes noscript object plaintext script select "
    "style svg template textarea title video xmp"
)
"""Elements of which nothing stays, not even the text within."""

_OF_ALL = _words("align bgcolor class color dir height id lang style title valign width background")
_OF_EACH: dict[str, frozenset[str]] = {
    "a": _words("href name"),
    "area": _words("alt coords href shape"),
    "col": _words("span"),
    "colgroup": _words("span"),
    "blockquote": _words("type"),
    "del": _words("datetime"),
    "details": _words("open"),
    "font": _words("face size"),
    "hr": _words("noshade size"),
    "img": _words("alt border hspace src srcset usemap vspace"),
    "ins": _words("datetime"),
    "li": _words("type value"),
    "map": _words("name"),
    "ol": _words("reversed start type"),
    "table": _words("border cellpadding cellspacing frame rules summary"),
    "td": _words("abbr axis colspan headers nowrap rowspan scope"),
    "th": _words("abbr axis colspan headers nowrap rowspan scope"),
    "time": _words("datetime"),
    "ul": _words("type"),
}

# As browsers read addresses: control characters and spaces at the ends go, tabs and line breaks wherever they are.
_IGNORED = re.compile(r"[\t\n\r\f\0]")
_ENDS = "".join(map(chr, range(0x21)))
_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s]", re.IGNORECASE)
_REMOTE = re.compile(r"https?://[^\s]", re.IGNORECASE)
_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/]+={0,2}", re.IGNORECASE)
_CID = re.compile(r"cid:(.{1,500})", re.IGNORECASE)
_SIZE = re.compile(r"[0-9.]{1,10}[wx]")
_MOST_CANDIDATES = 20
_NAME = re.compile(r"[\w :.-]{1,200}")

_STYLE_OR_COMMENT = re.compile(r"<!--|<style(?=[\s/>])(?P<attributes>[^>]{0,300})>", re.IGNORECASE)
_STYLE_END = re.compile(r"</style", re.IGNORECASE)
_BODY = re.compile(r"<(/?)body(?=[\s/>])", re.IGNORECASE)
_BODY_COLOR = re.compile(r"""[^>]*?\sbgcolor\s*=\s*["']?\s*(#?\w{1,30})""", re.IGNORECASE)
_MEDIA = re.compile(r"""\bmedia\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_FORMATTING = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/h[1-6]|/li)(?=[\s/>])", re.IGNORECASE)
_FORMATTED_TAGS = 1_000_000
_STYLE_ATTRIBUTE = re.compile(r"""\bstyle\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)
_BETWEEN_ATTRIBUTES = re.compile(r"""[\s/"']+""")


@dataclass(slots=True)
class _Loads:
    """Decides what a document may load; the addresses that it holds back or lets pass are counted alike."""

    images: Mapping[str, str]
    remote_wanted: bool
    left: int
    remote: int = 0
    shown: dict[str, None] = field(default_factory=dict)

    def image(self, address: str) -> str | None:
        """The address to load an image from instead; ``None`` where none is to be loaded."""
        address = plain_address(address)
        if _REMOTE.match(address):
            self.remote += 1
            return address if self.remote_wanted else None
        if found := _CID.fullmatch(address):
            content_id = found[1] if found[1] in self.images else unquote(found[1])
            data = self._within(self.images.get(content_id))
            if data:
                self.shown[content_id] = None
            return data
        return self._within(address) if _DATA.fullmatch(address) else None

    def _within(self, data: str | None) -> str | None:
        if data is None or len(data) > self.left:
            return None
        self.left -= len(data)
        return data

    def candidates(self, srcset: str) -> str | None:
        """What stays of an image's other sizes: those that are remote, where such are wanted."""
        found = [one.split() for one in srcset.split(",", _MOST_CANDIDATES)[:_MOST_CANDIDATES]]
        remote = [
            " ".join((plain_address(one[0]), *one[1:]))
            for one in found
            if one and _REMOTE.match(plain_address(one[0])) and all(map(_SIZE.fullmatch, one[1:]))
        ]
        self.remote += bool(remote)
        return ", ".join(remote) if remote and self.remote_wanted else None


@dataclass(slots=True)
class _Attributes:
    """Decides of every attribute that the allow-list has let through."""

    loads: _Loads
    css: Css
    _styles: dict[str, str] = field(default_factory=dict)

    def keep(self, _: str, name: str, value: str) -> str | None:
        """The value as it stays; ``None`` where the attribute does not."""
        match name:
            case "href":
                address = plain_address(value)
                return address if _LINK.match(address) else None
            case "src" | "background":
                return self.loads.image(value)
            case "srcset":
                return self.loads.candidates(value)
            case "style":
                return self._style(value) or None
            case "usemap":
                return value if value.startswith("#") and _NAME.fullmatch(value[1:]) else None
            case "class" | "headers" | "id" | "name":
                return value if _NAME.fullmatch(value) else None
        return value if len(value) <= _LONGEST_VALUE else None

    def _style(self, value: str) -> str:
        """A style's harmless part; one that comes again and holds no address is not read again."""
        if value in self._styles:
            return self._styles[value]
        before = self.loads.remote, self.loads.left
        kept = self.css.declarations(value)
        if (self.loads.remote, self.loads.left) == before:
            self._styles[value] = kept
        return kept


def plain_address(address: str) -> str:
    """An address as browsers read it; one without a scheme of its own is taken for https."""
    address = _IGNORED.sub("", address.strip(_ENDS)).strip(_ENDS)
    return f"https:{address}" if address.startswith("//") else address


def sanitised(document: str, images: Mapping[str, str], *, remote_images: bool) -> CleanHtml:
    """The document made harmless.

    ``images`` are the ``data:`` addresses of what the message itself shows, by Content-ID.
    """
    loads = _Loads(images, remote_images, LONGEST_IMAGES)
    css = Css(loads)
    sheets = list(_sheets(document, css))
    attributes = _Attributes(loads, css)
    body = nh3.clean(
        _BODY.sub(r"<\1div", document.replace("\0", "")),
        tags=set(_ELEMENTS),
        clean_content_tags=set(_WITHOUT_CONTENT),
        attributes={element: set(_OF_ALL | _OF_EACH.get(element, frozenset())) for element in _ELEMENTS},
        attribute_filter=attributes.keep,
        set_tag_attribute_values={"a": {"target": "_blank"}, "area": {"target": "_blank", "rel": "noopener"}},
        link_rel="noopener noreferrer",
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative=lambda address: f"https:{address}" if address.startswith("//") else None,
        strip_comments=True,
    )
    style = "\n".join(filter(None, sheets))
    return CleanHtml(f"<style>\n{style}\n</style>\n{body}" if style else body, loads.remote, tuple(loads.shown))


def surely_cheap(document: str) -> bool:
    """Whether reading a document takes little time and memory, whatever it is made of."""
    tags = document.count("<")
    return (
        len(document) <= CHEAP_CHARACTERS
        and tags <= CHEAP_TAGS
        and tags * sum(1 for _ in _FORMATTING.finditer(document)) <= _FORMATTED_TAGS
        and _characters_of_css(document) <= CHEAP_CSS
        and all(
            len(_BETWEEN_ATTRIBUTES.findall(tag)) <= CHEAP_PIECES
            for text in _outside_of_styles(document)
            for tag in text.split("<")
        )
    )


def _characters_of_css(document: str) -> int:
    sheets = sum(stop - start for _, start, stop in _style_places(document))
    return sheets + sum(len(found[1]) for found in _STYLE_ATTRIBUTE.finditer(document))


def text_of(document: str) -> str:
    """The text of a document that cannot be read as HTML: what is left without its tags."""
    text = "".join(_outside_of_styles(document))
    return html.unescape(_TAG.sub("", _BREAKS.sub(r"\n\g<0>", text))).strip()


def _sheets(document: str, css: Css) -> Iterator[str]:
    """The harmless rules of the document's style sheets, in order."""
    body = _BODY.search(document)
    if body and (color := _BODY_COLOR.match(document, body.end(), body.end() + 2_000)):
        yield css.sheet(f"body {{ background-color: {color[1]} }}")
    for attributes, sheet in _style_elements(document):
        media = _MEDIA.search(attributes)
        yield css.media_sheet(sheet, next(filter(None, media.groups()), "") if media else "")


def _style_elements(document: str) -> Iterator[tuple[str, str]]:
    """Attributes and content of the style elements outside of comments. Where they are read wrongly, style is lost."""
    for attributes, start, stop in _style_places(document):
        yield attributes, document[start:stop].strip().removeprefix("<!--").removesuffix("-->")


def _outside_of_styles(document: str) -> Iterator[str]:
    at = 0
    for _, start, stop in _style_places(document):
        yield document[at:start]
        at = stop
    yield document[at:]


def _style_places(document: str) -> Iterator[tuple[str, int, int]]:
    at = 0
    while found := _STYLE_OR_COMMENT.search(document, at):
        if found["attributes"] is None:
            end = document.find("-->", found.end())
            at = end + 3
        else:
            closing = _STYLE_END.search(document, found.end())
            end = at = closing.start() if closing else len(document)
            yield found["attributes"], found.end(), end
        if end < 0:
            return
