"""Texts of lines that plainly are something else: labels of detection, other JSON, escapes, rows of a
table.
"""

import json
import re

PICTURE_SUFFIX = r'\.(?:png|jpe?g|jfif|jp2|tiff?|bmp|gif|webp|p[bgnp]m|avif)'
ICDAR_ROW = re.compile(r'(.+?\.\w{2,5}),\s*"(.*)"\s*')
_DETECTION = re.compile(r'\[\s*\{\s*["\']transcription["\']')
_COORDINATES = re.compile(r'\s*(?:-?\d+(?:\.\d+)?\s*,\s*){8}\S')
_ESCAPED = re.compile(r'\\u[0-9A-Fa-f]{4}|&(?:#\d+|#x[0-9A-Fa-f]+|amp|lt|gt|quot|apos|nbsp);')
_LINE_BREAK = re.compile(r'\\[nr](?![A-Za-z])')
_NOT_TRANSCRIBED = frozenset(['###', '***', '<unk>', '<UNK>', '[UNK]'])
_PREDICTION = re.compile(r"""[(\[]\s*(['"]).*\1\s*,\s*\d*\.?\d+(?:e-?\d+)?\s*[)\]]""")
OBJECT = '{"path": "...", "text": "..."}'


def text_problem(text: str) -> str | None:
    """What a text plainly is in place of one: labels of detection or other JSON, coordinates, escapes, or the
    rest of a TAB that was spelled out. None where nothing is wrong.

    Args:
        text: str.

    Returns:
        str or None.
    """
    if re.match(r'\\t(?![A-Za-z])', text):
        return 'the text begins with a backslash and a t, expected a TAB between path and text'
    if _LINE_BREAK.search(text):
        return (
            'the text has a line break (a backslash and an n), expected a line: a picture of a page? Its'
            ' lines are pictures of their own'
        )
    if text in _NOT_TRANSCRIBED:
        return 'the text stands for what nobody transcribed, expected what is written there'
    if _PREDICTION.fullmatch(text):
        return 'the text is what a recogniser read, and how sure it was: expected the text alone'
    if _COORDINATES.match(text):
        return (
            "the text begins with eight coordinates: labels of detection, as ICDAR's gt_img_1.txt; expected"
            ' those of recognition, a picture of each line'
        )
    if text[:1] not in ('[', '{'):
        escaped = _ESCAPED.search(text)
        return escaped and f'the text has {escaped[0]} in place of a character, expected the character itself'
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    members = value if isinstance(value, list) else [value]
    if _DETECTION.match(text) or any(
        isinstance(member, dict) and 'transcription' in member for member in members
    ):
        return (
            "the text is JSON with a transcription: labels of detection, as PPOCRLabel's Label.txt; expected"
            ' those of recognition: PPOCRLabel writes rec_gt.txt and crop_img (File > Export Recognition'
            ' Result)'
        )
    if any(isinstance(member, str) or isinstance(member, (dict, list)) and member for member in members):
        return f'the text is JSON, expected the text itself; in a table named *.jsonl a row is {OBJECT}'
    return None


def row_of_table(text: str) -> str | None:
    """What a line of texts plainly is in place of one: a row of a table, a picture and its text.

    None where nothing is wrong.
    """
    if re.match(rf'(?i:[^\t]*?{PICTURE_SUFFIX})(?:\t|\\t)', text) or ICDAR_ROW.fullmatch(text):
        return 'a row of a table of labels, a picture and its text; expected the text alone'
    return None
