"""Characters that are no ideographs: each is a component of its own.

And the forms that handwriting does not tell apart.
"""

from hwgen.charset.normal_form import plain

ASCII = ''.join(map(chr, range(0x20, 0x7F)))
# Row 1 of GB 2312 and the full-width punctuation of row 3; 〇 stands with the symbols, since no sequence
# holds it.
PUNCTUATION = '、。，．：；？！—～…‖·‘’“”（）〔〕〈〉《》「」『』〖〗【】〃々ˉˇ¨〇'
MATHEMATICS = '±×÷∶∧∨∑∏∪∩∈∷√⊥∠⌒⊙∫∮≡≌≈∽∝≠≮≯≤≥∞∵∴♂♀°′″℃¤¢£¥‰§№☆★○●◎◇◆□■△▲※→←↑↓〓'
GREEK = 'ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξπρστυφχψω'
NUMBERS = '①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ'
SYMBOLS = ASCII + PUNCTUATION + MATHEMATICS + GREEK + NUMBERS
# What the second edition of the dictionary added.
FURTHER_SYMBOLS = '€¹²³㈠㈡㈢㈣㈤㈥㈦㈧㈨㈩'
NARROW = ASCII + GREEK + '·°′″¢£¥' + '€¹²³'

# Blank paper, wherever it is written; what else is a space to Unicode is one of its variants below.
SPACE = ' '

# Character -> the one by which it is written.
VARIANTS = {
    chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F) if chr(code + 0xFEE0) not in PUNCTUATION
}
VARIANTS |= {'・': '·', '•': '·', '―': '—', '∥': '‖', '⋯': '…', '￣': 'ˉ', '￠': '¢', '￡': '£', '￥': '¥'}
# Hyphens, the minus, the en dash; box drawing, which texts in GBK have in place of the dash.
VARIANTS |= dict.fromkeys('‐‑‒–−﹣', '-') | dict.fromkeys('─﹘', '—')
VARIANTS |= {
    'µ': 'μ',
    '∆': 'Δ',
    '∕': '/',
    '∣': '|',
    '∗': '*',
    '‧': '·',
    '∙': '·',
    '⋅': '·',
    '〜': '～',
    '◯': '○',
    'ʼ': '’',
    'ϕ': 'φ',
    'ϵ': 'ε',
    'ϑ': 'θ',
}
VARIANTS |= dict.fromkeys(map(chr, (0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)), SPACE)
# Greek letters whose written form is a Latin one.
VARIANTS |= dict(zip('ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο', 'ABEZHIKMNOPTYXo', strict=True))


def normalize(text: str) -> str:
    """The characters by which a text is written: its normal form (`normal_form`), and Ａ -> A,
    ideographic space -> space, ・ -> ·, – -> -; full-width ，！？ and so on stay.

    Args:
        text: str.

    Returns:
        str, of another length where the text holds invisible characters, or a letter and its accent as two.
    """
    return ''.join(VARIANTS.get(character, character) for character in plain(text))


def structure_of(symbol: str) -> str:
    """The structure of a symbol: 'sym-narrow' for Latin, Greek, digits and their like, else 'sym-wide'."""
    return 'sym-narrow' if symbol in NARROW else 'sym-wide'
