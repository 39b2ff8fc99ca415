"""Style sheets of mail, made harmless by tinycss2: what is known to be harmless stays, all else goes.

Properties and functions are those of an allow-list, so that nothing runs (``expression``, ``behavior``,
``-moz-binding``), nothing leaves its place (``position: fixed``) and nothing is loaded but by ``url()``, of which
``Links`` decides. What is written is tinycss2's own serialisation of what it has read, so that an escape means what it
was read as; no ``<`` is ever in it, which could end the element that it stands in.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import tinycss2  # type: ignore[import-untyped]
from tinycss2 import ast

LONGEST_CSS = 300_000
"""Characters of CSS that are read of one message, repetitions not counted; beyond, style is lost and nothing else."""

_DEEPEST = 20
_LONGEST_SELECTOR = 2_000

_PROPERTIES = re.compile(
    r"(?:-webkit-|-ms-)?text-(?:align|align-last|decoration|decoration-(?:color|line|style|thickness)|indent|overflow"
    r"|shadow|size-adjust|transform|underline-offset)"
    r"|background(?:-(?:attachment|blend-mode|clip|color|image|origin|position|position-[xy]|repeat|size))?"
    r"|border(?:-(?:top|right|bottom|left))?(?:-(?:color|style|width))?"
    r"|border-(?:collapse|spacing|radius|(?:top|bottom)-(?:left|right)-radius)"
    r"|(?:margin|padding)(?:-(?:top|right|bottom|left|inline|block|inline-(?:start|end)|block-(?:start|end)))?"
    r"|font(?:-(?:family|feature-settings|kerning|size|size-adjust|stretch|style|variant|weight))?"
    r"|list-style(?:-(?:image|position|type))?"
    r"|(?:min-|max-)?(?:width|height)|inline-size|block-size"
    r"|color|color-scheme|opacity|visibility|display|float|clear|position|top|right|bottom|left|z-index"
    r"|overflow(?:-(?:wrap|x|y))?|vertical-align|line-height|letter-spacing|word-(?:break|spacing|wrap)|white-space"
    r"|hyphens|direction|unicode-bidi|writing-mode|tab-size|quotes|cursor"
    r"|table-layout|caption-side|empty-cells|box-sizing|box-shadow|object-(?:fit|position)|aspect-ratio"
    r"|outline(?:-(?:color|style|width|offset))?|column(?:s|-count|-gap|-width)|row-gap|gap"
    r"|flex(?:-(?:basis|direction|flow|grow|shrink|wrap))?|order|(?:align|justify|place)-(?:content|items|self)"
    r"|grid-(?:template-(?:columns|rows)|column|row|auto-(?:columns|rows|flow))"
    r"|page-break-(?:after|before|inside)|break-(?:after|before|inside)|orphans|widows|-webkit-font-smoothing"
)
_FUNCTIONS = frozenset(
    {"calc", "clamp", "hsl", "hsla", "linear-gradient", "max", "min", "minmax", "radial-gradient", "repeat"}
    | {"repeating-linear-gradient", "repeating-radial-gradient", "rgb", "rgba", "fit-content"}
)
_SELECTORS = frozenset({"is", "lang", "not", "nth-child", "nth-last-child", "nth-last-of-type", "nth-of-type", "where"})
_POSITIONS = frozenset({"absolute", "relative", "static"})
_WITH_RULES = frozenset({"media", "supports"})
_SPACE = ast.WhitespaceToken(0, 0, " ")
_MEDIA = re.compile(r"[\w\s,():.<=>/-]{1,200}")


class Links(Protocol):
    """Decides of what a message would load."""

    def image(self, address: str) -> str | None:
        """The address to load an image from instead; ``None`` where none is to be loaded."""


@dataclass(slots=True)
class Css:
    """The style sheets of one message."""

    links: Links
    _left: int = LONGEST_CSS

    def declarations(self, css: str) -> str:
        """The harmless ones of an element's declarations."""
        if not self._takes(css):
            return ""
        try:
            nodes = tinycss2.parse_blocks_contents(css, skip_comments=True, skip_whitespace=True)
            return " ".join(self._harmless(nodes))
        except RecursionError:
            return ""

    def sheet(self, css: str) -> str:
        """The harmless rules of a style sheet."""
        if not self._takes(css):
            return ""
        try:
            nodes = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
            return "\n".join(self._rules(nodes, 0))
        except RecursionError:
            return ""

    def media_sheet(self, css: str, media: str) -> str:
        """The harmless rules of a style sheet that is meant for some media."""
        rules = self.sheet(css)
        if not rules or not media.strip() or media.strip().lower() == "all":
            return rules
        return f"@media {media} {{\n{rules}\n}}" if _MEDIA.fullmatch(media) and "<" not in media else ""

    def _takes(self, css: str) -> bool:
        self._left -= len(css)
        return self._left >= 0

    def _rules(self, nodes: Iterable[Any], depth: int) -> Iterator[str]:
        for node in nodes:
            if node.type == "qualified-rule":
                selector = _selector(node.prelude)
                declarations = selector and " ".join(
                    self._harmless(
                        tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
                    )
                )
                if declarations:
                    yield f"{selector} {{ {declarations} }}"
            elif node.type == "at-rule" and node.lower_at_keyword in _WITH_RULES and node.content and depth < _DEEPEST:
                prelude = tinycss2.serialize(node.prelude).strip()
                inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                rules = "\n".join(self._rules(inner, depth + 1))
                if rules and _MEDIA.fullmatch(prelude) and "<" not in prelude:
                    yield f"@{node.lower_at_keyword} {prelude} {{\n{rules}\n}}"

    def _harmless(self, nodes: Iterable[Any]) -> Iterator[str]:
        for node in nodes:
            if node.type != "declaration" or not _PROPERTIES.fullmatch(node.lower_name):
                continue
            kept = self._value(node.value, 0)
            value = tinycss2.serialize(kept).strip() if kept else ""
            if not value or "<" in value or (node.lower_name == "position" and value.lower() not in _POSITIONS):
                continue
            yield f"{node.lower_name}: {value}{' !important' if node.important else ''};"

    def _value(self, nodes: Iterable[Any], depth: int) -> list[Any] | None:
        """A value as it may stay, as nodes; ``None`` where anything in it may not.

        Nodes and not their texts: the library keeps apart what would mean something else side by side.
        """
        if depth > _DEEPEST:
            return None
        kept: list[Any] = []
        for node in nodes:
            match node.type:
                case "url":
                    kept.append(self._link(node.value))
                case "function" if node.lower_name == "url":
                    inside = [inner for inner in node.arguments if inner.type not in {"whitespace", "comment"}]
                    if len(inside) != 1 or inside[0].type != "string":
                        return None
                    kept.append(self._link(inside[0].value))
                case "function" if node.lower_name in _FUNCTIONS:
                    inner = self._value(node.arguments, depth + 1)
                    if inner is None:
                        return None
                    kept.append(ast.FunctionBlock(0, 0, node.lower_name, inner))
                case "() block":
                    inner = self._value(node.content, depth + 1)
                    if inner is None:
                        return None
                    kept.append(ast.ParenthesesBlock(0, 0, inner))
                case "comment" | "whitespace":
                    kept.append(_SPACE)
                case "ident" if node.lower_value == "url":
                    return None
                case "ident" | "dimension" | "number" | "percentage" | "hash" | "string" | "literal":
                    kept.append(node)
                case _:
                    return None
        return kept

    def _link(self, address: str) -> Any:
        """The ``url()`` of an image, or nothing in its place: what stands beside it, such as a colour, stays."""
        loaded = self.links.image(address)
        if loaded is None:
            return ast.IdentToken(0, 0, "none")
        return ast.URLToken(0, 0, loaded, _quoted(loaded))


def _quoted(address: str) -> str:
    return 'url("' + re.sub(r'["\\\n\r\f<>]', lambda found: f"\\{ord(found[0]):x} ", address) + '")'


def _selector(prelude: Iterable[Any]) -> str:
    """A selector as it may stay; empty where it may not."""
    selector = tinycss2.serialize(prelude).strip()
    fits = len(selector) <= _LONGEST_SELECTOR and "<" not in selector and _only_selectors(prelude)
    return selector if fits else ""


def _only_selectors(nodes: Iterable[Any]) -> bool:
    for node in nodes:
        match node.type:
            case "ident" | "hash" | "literal" | "whitespace" | "comment" | "string" | "number" | "dimension":
                continue
            case "percentage":
                continue
            case "[] block":
                if not _only_selectors(node.content):
                    return False
            case "function" if node.lower_name in _SELECTORS:
                if not _only_selectors(node.arguments):
                    return False
            case _:
                return False
    return True
