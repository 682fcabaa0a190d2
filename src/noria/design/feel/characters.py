"""Sets of characters that a regular expression names: categories, blocks and the classes of XML Schema.

A set is a tuple of ranges of code points, first and last, in order and apart from each other. Surrogates are in none.

Source: XML Schema part 2, appendix F; the blocks are those of Unicode 3.1, to which it refers.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Iterable

Characters = tuple[tuple[int, int], ...]

_SURROGATES = (0xD800, 0xDFFF)
_NAME_START: Characters = (
    *((0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF)),
    *((0x370, 0x37D), (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF)),
    *((0xF900, 0xFDCF), (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF)),
)
_NAME_FURTHER: Characters = ((0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040))
_BLOCKS = """
BasicLatin 0-7F Latin-1Supplement 80-FF LatinExtended-A 100-17F LatinExtended-B 180-24F IPAExtensions 250-2AF
SpacingModifierLetters 2B0-2FF CombiningDiacriticalMarks 300-36F Greek 370-3FF GreekandCoptic 370-3FF Cyrillic 400-4FF
Armenian 530-58F Hebrew 590-5FF Arabic 600-6FF Syriac 700-74F Thaana 780-7BF Devanagari 900-97F Bengali 980-9FF
Gurmukhi A00-A7F Gujarati A80-AFF Oriya B00-B7F Tamil B80-BFF Telugu C00-C7F Kannada C80-CFF Malayalam D00-D7F
Sinhala D80-DFF Thai E00-E7F Lao E80-EFF Tibetan F00-FFF Myanmar 1000-109F Georgian 10A0-10FF HangulJamo 1100-11FF
Ethiopic 1200-137F Cherokee 13A0-13FF UnifiedCanadianAboriginalSyllabics 1400-167F Ogham 1680-169F Runic 16A0-16FF
Khmer 1780-17FF Mongolian 1800-18AF LatinExtendedAdditional 1E00-1EFF GreekExtended 1F00-1FFF
GeneralPunctuation 2000-206F SuperscriptsandSubscripts 2070-209F CurrencySymbols 20A0-20CF
CombiningMarksforSymbols 20D0-20FF CombiningDiacriticalMarksforSymbols 20D0-20FF LetterlikeSymbols 2100-214F
NumberForms 2150-218F Arrows 2190-21FF MathematicalOperators 2200-22FF MiscellaneousTechnical 2300-23FF
ControlPictures 2400-243F OpticalCharacterRecognition 2440-245F EnclosedAlphanumerics 2460-24FF BoxDrawing 2500-257F
BlockElements 2580-259F GeometricShapes 25A0-25FF MiscellaneousSymbols 2600-26FF Dingbats 2700-27BF
BraillePatterns 2800-28FF CJKRadicalsSupplement 2E80-2EFF KangxiRadicals 2F00-2FDF
IdeographicDescriptionCharacters 2FF0-2FFF CJKSymbolsandPunctuation 3000-303F Hiragana 3040-309F Katakana 30A0-30FF
Bopomofo 3100-312F HangulCompatibilityJamo 3130-318F Kanbun 3190-319F BopomofoExtended 31A0-31BF
EnclosedCJKLettersandMonths 3200-32FF CJKCompatibility 3300-33FF CJKUnifiedIdeographsExtensionA 3400-4DBF
CJKUnifiedIdeographs 4E00-9FFF YiSyllables A000-A48F YiRadicals A490-A4CF HangulSyllables AC00-D7AF
PrivateUse E000-F8FF CJKCompatibilityIdeographs F900-FAFF AlphabeticPresentationForms FB00-FB4F
ArabicPresentationForms-A FB50-FDFF CombiningHalfMarks FE20-FE2F CJKCompatibilityForms FE30-FE4F
SmallFormVariants FE50-FE6F ArabicPresentationForms-B FE70-FEFF Specials FFF0-FFFF
HalfwidthandFullwidthForms FF00-FFEF OldItalic 10300-1032F Gothic 10330-1034F Deseret 10400-1044F
ByzantineMusicalSymbols 1D000-1D0FF MusicalSymbols 1D100-1D1FF MathematicalAlphanumericSymbols 1D400-1D7FF
CJKUnifiedIdeographsExtensionB 20000-2A6DF CJKCompatibilityIdeographsSupplement 2F800-2FA1F Tags E0000-E007F
"""
_CATEGORY = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|Z[slp]?|S[mcko]?|C[cfon]?")


def joined(ranges: Iterable[tuple[int, int]]) -> Characters:
    """The set of all characters of some ranges, in any order."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def others(characters: Characters) -> Characters:
    """All characters that are not in a set."""
    result: list[tuple[int, int]] = []
    following = 0
    for low, high in joined([*characters, _SURROGATES]):
        if low > following:
            result.append((following, low - 1))
        following = high + 1
    if following <= sys.maxunicode:
        result.append((following, sys.maxunicode))
    return tuple(result)


def without(characters: Characters, taken: Characters) -> Characters:
    """The characters of a set that are not in another."""
    return others(joined([*others(characters), *taken]))


@functools.cache
def block(name: str) -> Characters | None:
    r"""The characters of a block, named as ``\p{Is…}`` names it; None when there is none of this name."""
    table = _BLOCKS.split()
    for known, written in zip(table[::2], table[1::2], strict=True):
        if known == name:
            low, _, high = written.partition("-")
            return ((int(low, 16), int(high, 16)),)
    return None


@functools.cache
def category(name: str) -> Characters | None:
    """The characters of a general category, such as L or Lu; None when there is none of this name."""
    if _CATEGORY.fullmatch(name) is None:
        return None
    return joined(
        (point, point)
        for point in range(sys.maxunicode + 1)
        if not _SURROGATES[0] <= point <= _SURROGATES[1] and unicodedata.category(chr(point)).startswith(name)
    )


@functools.cache
def escape(letter: str) -> Characters | None:
    r"""The characters of ``\d``, ``\s``, ``\w``, ``\i`` or ``\c``; None for any other small letter."""
    if letter == "s":
        return ((0x9, 0xA), (0xD, 0xD), (0x20, 0x20))
    if letter == "i":
        return _NAME_START
    if letter == "c":
        return joined([*_NAME_START, *_NAME_FURTHER])
    if letter == "d":
        return category("Nd")
    if letter == "w":
        return others(joined([*(category("P") or ()), *(category("Z") or ()), *(category("C") or ())]))
    return None
