"""Pieces of HTML."""

import base64
import hashlib
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipjsw.reporting.markup import counted_words, image, policy_hash, rule_name, table_head, table_row, text


class Reader(HTMLParser):
    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.tags, self.words = [], []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_no_text_becomes_markup_in_an_element_or_attribute(raw):
    reader = Reader(f'<p title="{text(raw)}">{text(raw)}</p>')
    ((tag, attributes),) = reader.tags
    assert (tag, set(attributes)) == ("p", {"title"})
    assert "".join(reader.words) == attributes["title"]


def test_text_is_cut_before_it_is_escaped():
    assert text("<" * 100, 7) == "&lt;&lt;...&lt;&lt;"


def test_rule_names_read_the_same_with_places_to_break():
    reader = Reader(rule_name("film_without_points"))
    assert "".join(reader.words) == "film_without_points"
    assert [tag for tag, _ in reader.tags] == ["code", "wbr", "wbr"]


def test_image_is_its_bytes():
    ((_, attributes),) = Reader(image(b"\x89PNG", "a film")).tags
    assert base64.b64decode(attributes["src"].removeprefix("data:image/png;base64,")) == b"\x89PNG"
    assert attributes["alt"] == "a film"


def test_policy_hash_is_that_of_the_standard():
    assert policy_hash("x") == "sha256-" + base64.b64encode(hashlib.sha256(b"x").digest()).decode()


def test_cells_stand_under_the_heads_and_carry_their_names():
    cells = {"rule": "a", "films": "3", "what's said": "b"}
    reader = Reader(table_head(cells, "list") + table_row(cells, ' data-rule="a"') + "</tbody></table>")
    assert ("table", {"class": "stack", "id": "list"}) in reader.tags
    assert [attributes["data-label"] for tag, attributes in reader.tags if tag == "td"] == list(cells)
    assert reader.words == [*cells, *cells.values()]


@pytest.mark.parametrize(("value", "words"), [(0, "0 films"), (1, "1 film"), (15000, "15,000 films")])
def test_counted_words(value, words):
    assert counted_words(value, "film") == words
