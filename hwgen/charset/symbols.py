"""Characters that are no ideographs: each is a component of its own. And the forms that handwriting does not tell apart."""

ASCII = ''.join(map(chr, range(0x20, 0x7F)))
# Row 1 of GB 2312 and the full-width punctuation of row 3; 〇 stands with the symbols, since no sequence holds it.
PUNCTUATION = '、。，．：；？！—～…‖·‘’“”（）〔〕〈〉《》「」『』〖〗【】〃々ˉˇ¨〇'
MATHEMATICS = '±×÷∶∧∨∑∏∪∩∈∷√⊥∠⌒⊙∫∮≡≌≈∽∝≠≮≯≤≥∞∵∴♂♀°′″℃¤¢£¥‰§№☆★○●◎◇◆□■△▲※→←↑↓〓'
GREEK = 'ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξπρστυφχψω'
NUMBERS = '①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ'
SYMBOLS = ASCII + PUNCTUATION + MATHEMATICS + GREEK + NUMBERS
NARROW = ASCII + GREEK + '·°′″¢£¥'

# Character -> the one by which it is written.
VARIANTS = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F) if chr(code + 0xFEE0) not in PUNCTUATION}
VARIANTS |= {'\u3000': ' ', '\u00a0': ' ', '・': '·', '•': '·', '―': '—', '∥': '‖', '⋯': '…', '￣': 'ˉ', '￠': '¢', '￡': '£', '￥': '¥'}
# Greek letters whose written form is a Latin one.
VARIANTS |= dict(zip('ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο', 'ABEZHIKMNOPTYXo'))


def normalize(text):
    """The characters by which a text is written: Ａ -> A, ideographic space -> space, ・ -> ·; full-width ，！？ and so on stay.

    Args:
        text: str.

    Returns:
        str of the same length.
    """
    return ''.join(VARIANTS.get(character, character) for character in text)


def structure_of(symbol):
    """The structure of a symbol: 'sym-narrow' for Latin, Greek, digits and their like, else 'sym-wide'."""
    return 'sym-narrow' if symbol in NARROW else 'sym-wide'
