from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.report.document import to_html

TAGS = "h3 h4 h5 h6 p ul ol li strong em code pre div table thead tbody tr th td"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# One\n## Two", "<h3>One</h3>\n<h4>Two</h4>"),
        ("a\nb\n\nc", "<p>a b</p>\n<p>c</p>"),
        ("a\n- b", "<p>a</p>\n<ul><li>b</li></ul>"),
        ("- a\n- b\n  more", "<ul><li>a</li><li>b more</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("a **b** *c* `**d**`", "<p>a <strong>b</strong> <em>c</em> <code>**d**</code></p>"),
        ("snake_case_name 2*3*4", "<p>snake_case_name 2*3*4</p>"),
        (r"\*not\* \<b\>", "<p>*not* &lt;b&gt;</p>"),
        ("```yaml\na: <b>\n```\nafter", "<pre><code>a: &lt;b&gt;</code></pre>\n<p>after</p>"),
        ("````\n```\n````", "<pre><code>```</code></pre>"),
        ("```\nnever closed", "<pre><code>never closed</code></pre>"),
        ("[x](http://e.test)", "<p>[x](http://e.test)</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_html(markdown: str, expected: str) -> None:
    assert to_html(markdown) == expected


def test_tables_keep_escaped_pipes_within_cells() -> None:
    table = to_html("| a | b |\n|---|---:|\n| x \\| y | `p \\| q` |")
    assert "<thead><tr><th>a</th><th>b</th></tr></thead>" in table
    assert "<tbody><tr><td>x | y</td><td><code>p | q</code></td></tr></tbody>" in table


@given(st.text(alphabet="#-*`|<>&\"'\n\\ a1.~_[](){}"))
def test_no_text_makes_markup_of_its_own(markdown: str) -> None:
    page = to_html(markdown)
    tags = set(re.findall(r"</?([a-z0-9]+)", page))
    assert tags <= set(TAGS.split())
    assert "<" not in re.sub(r'</?[a-z0-9]+( class="scroll" tabindex="0")?>', "", page)
