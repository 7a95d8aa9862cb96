"""Text as it may stand within HTML and SVG."""

from __future__ import annotations

import html
import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


def escaped(text: str) -> str:
    r"""Any text, also as the value of an attribute; what XML cannot hold becomes U+FFFD.

    >>> escaped('<b a="1">\x00')
    '&lt;b a=&quot;1&quot;&gt;\ufffd'
    """
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
