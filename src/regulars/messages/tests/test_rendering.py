"""Templates are hostile until proven otherwise: the fence, the escape, the same bytes."""

import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from regulars.messages.library import KEYS, read_mail
from regulars.messages.operations import LAYOUT
from regulars.messages.rendering.plain import to_plain
from regulars.messages.rendering.renderer import CannotRender, Renderer, Source
from regulars.messages.samples import SAMPLE

ATTACKS = [
    "{{ (1..100000000) | join }}",
    "{% for i in (1..100000000) %}x{% endfor %}",
    "{% for i in (1..9000) %}{% for j in (1..9000) %}{{ j }}{% endfor %}{% endfor %}",
    "{% assign a = 'xxxxxxxxxx' %}"
    + "{% assign a = a | append: a | append: a | append: a | append: a %}" * 40
    + "{{ a }}",
    "{{ 'x' | replace: 'x', 'xxxxxxxxxxxxxxxxxxxx' " + "| replace: 'x', 'xxxxxxxxxxxxxxxxxxxx' " * 8 + "}}",
    "{% assign x = (1..100000000) | sort %}{{ x | size }}",
    "{{ (1..300000000) | uniq | first }}",
    "{% include 'secrets' %}",
    "{% render 'secrets' %}",
    "<mj-include path='/etc/passwd' />",
    "{{ " + "(" * 4000,
    "{% if a %}" * 300,
    "{{ 10 | divided_by: 0 }}",
    "{{ customer.name | safe }}",
    "<mj-section>",
]
HARMLESS = [
    "{{ customer.__class__.__mro__ }}",
    "{{ settings.SECRET_KEY }}",
    "{{ customer.name.__globals__ }}",
    "{{ self }}",
    "{{ 'x' | times: 99999999 }}",
]


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    renderer = Renderer()
    yield renderer
    renderer.close()


def render(renderer: Renderer, body: str, **context: Any) -> Any:
    return renderer.render(Source("s", "p", body, LAYOUT), SAMPLE | context)


@pytest.mark.parametrize("body", ATTACKS)
def test_an_attack_ends_quickly_and_the_next_mail_is_rendered(renderer: Renderer, body: str) -> None:
    render(renderer, "")
    began, memory = time.monotonic(), psutil.Process().memory_info().rss
    with pytest.raises(CannotRender):
        render(renderer, body)
    assert time.monotonic() - began < 6  # the kernel allows 1.5 s; the rest is a busy machine
    assert psutil.Process().memory_info().rss - memory < 200_000_000
    assert "1 High Street" in render(renderer, "").html


@pytest.mark.parametrize("body", HARMLESS)
def test_nothing_of_the_house_can_be_reached(renderer: Renderer, body: str) -> None:
    section = f"<mj-section><mj-column><mj-text>[{body}]</mj-text></mj-column></mj-section>"
    text = render(renderer, section).text
    assert "[]" in text or "[0]" in text


def test_the_fence_has_no_environment(renderer: Renderer) -> None:
    render(renderer, "")
    process = renderer._process
    assert process is not None
    assert set(psutil.Process(process.pid).environ()) <= {"PYTHONPATH", "LC_ALL", "LC_CTYPE"}


def test_what_a_customer_is_called_is_text_and_nothing_else(renderer: Renderer) -> None:
    name = "<script>alert(1)</script> & \"quote\" 'single'"
    body = "<mj-section><mj-column><mj-text>{{ customer.name }}</mj-text></mj-column></mj-section>"
    rendered = renderer.render(
        Source("Hi {{ customer.name }}\r\nBcc: x@y", "", body, LAYOUT), SAMPLE | {"customer": {"name": name}}
    )
    assert "<script>" not in rendered.html
    assert name in rendered.text
    assert rendered.subject == f"Hi {name} Bcc: x@y"


@pytest.mark.parametrize("key", KEYS)
def test_ready_made_mails_render_with_and_without_a_name_and_products(renderer: Renderer, key: str) -> None:
    _, draft = read_mail(key)
    full = renderer.render(draft.source(), SAMPLE)
    assert "Ada" in full.subject
    assert full.text.index("Jumbo bag red retrospot") > full.text.index("Small popcorn holder")
    bare = renderer.render(draft.source(), SAMPLE | {"customer": {"name": "", "first_name": ""}, "products": []})
    assert "Ada" not in bare.html
    for rendered in (full, bare):
        assert "https://shop.example/unsubscribe/sample" in rendered.html
        assert "https://shop.example/unsubscribe/sample" in rendered.text
        assert "1 High Street, London N1 1AA" in rendered.text
        assert "googleapis" not in rendered.html
        assert "{{" not in rendered.html + rendered.subject
    assert renderer.render(draft.source(), SAMPLE) == full


def test_a_line_break_ends_a_line_and_nothing_else() -> None:
    html = "<div style='display:none'>no<br/>never</div><table>"
    html += "".join(f"<tr><td><b>{n}</b><br />ordered</td><td>{n} GBP</td></tr>" for n in (1, 2))
    html += "</table><p>Yours,<br>us</br></i></p>"
    assert to_plain(html) == "1\nordered 1 GBP\n\n2\nordered 2 GBP\n\nYours,\nus\n"


def test_plain_text_reads_like_a_letter() -> None:
    html = "<style>x</style><h1>Hi</h1><p>One <a href='https://a.example/'>link</a>.</p><ul><li>a</li><li>b</li></ul>"
    html += "<div style='display:none'>no</div>"
    assert to_plain(html) == "Hi\n\nOne link (https://a.example/).\n\n- a\n\n- b\n"
