"""Labels as PAGE XML (schema 2019-07-15, PRImA), a file for each picture: `000001.xml` beside `000001.png`.

A TextRegion has a TextLine for each line, that a Word for each piece from space to space, that a Glyph for
each character, and that, where it has several, a Grapheme for each component (the schema's part of a
glyph), with the component's name as its text. Where lines are read back, a line's second TextEquiv is what
was read, with the reader's confidence (`conf`).

Both dates of the metadata are that of `SOURCE_DATE_EPOCH`, or the beginning of 1970: the same seed gives the
same bytes.
"""

from __future__ import annotations

import datetime
import os
import re
from xml.etree import ElementTree

from hwgen.generation.labels.truth import Box, Character, TrueLine, TruePicture, around

NAMESPACE = 'http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15'
# What XML 1.0 has no place for.
_NOT_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def name_of(picture: str) -> str:
    """The name of the file of a picture."""
    return os.path.splitext(picture)[0] + '.xml'


def document(picture: TruePicture, *, creator: str) -> bytes:
    """The file of a picture.

    Args:
        picture: TruePicture.
        creator: what wrote it.
    """
    root = ElementTree.Element('PcGts', {'xmlns': NAMESPACE})
    metadata = ElementTree.SubElement(root, 'Metadata')
    date = datetime.datetime.fromtimestamp(int(os.environ.get('SOURCE_DATE_EPOCH', '0')), datetime.UTC)
    for tag, value in (('Creator', creator), ('Created', _date(date)), ('LastChange', _date(date))):
        ElementTree.SubElement(metadata, tag).text = value
    page = ElementTree.SubElement(
        root,
        'Page',
        imageFilename=picture.name,
        imageWidth=str(picture.width),
        imageHeight=str(picture.height),
    )
    if picture.lines:
        region = ElementTree.SubElement(
            page, 'TextRegion', id='r1', type='paragraph', custom=f'style {picture.style}'
        )
        _coords(region, around([line.box for line in picture.lines]))
        for number, line in enumerate(picture.lines, 1):
            _line(region, line, f'r1l{number}')
        _text(region, '\n'.join(line.text for line in picture.lines))
    ElementTree.indent(root, ' ')
    return ElementTree.tostring(root, encoding='utf-8', xml_declaration=True) + b'\n'


def _date(date: datetime.datetime) -> str:
    return date.strftime('%Y-%m-%dT%H:%M:%S')


def _line(region: ElementTree.Element, line: TrueLine, name: str) -> None:
    element = ElementTree.SubElement(region, 'TextLine', id=name)
    _coords(element, line.box)
    for number, word in enumerate(line.words(), 1):
        _word(element, word, f'{name}w{number}')
    if line.verified is None:
        _text(element, line.text)
        return
    _text(element, line.text, index='0')
    _text(
        element,
        line.verified.reading,
        index='1',
        conf=f'{min(1.0, line.verified.confidence):.4f}',
        comments=f'as read: {line.verified.verdict}',
    )


def _word(line: ElementTree.Element, word: list[Character], name: str) -> None:
    element = ElementTree.SubElement(line, 'Word', id=name)
    _coords(element, around([one.box for one in word if one.box]))
    for number, one in enumerate(word, 1):
        glyph = ElementTree.SubElement(element, 'Glyph', id=f'{name}g{number}', custom=one.structure)
        _coords(glyph, one.box or one.room)
        if len(one.components) > 1:
            parts = ElementTree.SubElement(glyph, 'Graphemes')
            for index, component in enumerate(one.components):
                part = ElementTree.SubElement(
                    parts, 'Grapheme', id=f'{name}g{number}c{component.slot + 1}', index=str(index)
                )
                _text(part, component.name)
                _coords(part, component.box)
        _text(glyph, one.text)
    _text(element, ''.join(one.text for one in word))


def _coords(element: ElementTree.Element, box: Box) -> None:
    x0, y0, x1, y1 = box
    ElementTree.SubElement(element, 'Coords', points=f'{x0},{y0} {x1},{y0} {x1},{y1} {x0},{y1}')


def _text(element: ElementTree.Element, text: str, **about: str) -> None:
    equivalent = ElementTree.SubElement(element, 'TextEquiv', about)
    ElementTree.SubElement(equivalent, 'Unicode').text = _NOT_XML.sub('\ufffd', text)
