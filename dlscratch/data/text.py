"""Text to integers and back: one a character, or byte pairs merged by their frequency."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

__all__ = ["CharTokenizer", "BPETokenizer"]

# Runs of letters and of signs, each with the one space before it, and white space: no
# character is left over, so nothing is lost.
_WORDS = re.compile(r" ?\w+| ?[^\s\w]+|\s+(?!\S)|\s+")


class CharTokenizer:
    """One integer a character, numbered in the order of the alphabet that `text` uses.

    str of length T ↔ (T,) integers. Raises ValueError for an empty text.

    Examples
    --------
    >>> tokens = CharTokenizer("hello world")
    >>> tokens.encode("hold")
    array([3, 5, 4, 1])
    >>> tokens.decode([3, 5, 4, 1]), len(tokens)
    ('hold', 8)
    """

    def __init__(self, text: str):
        if not text:
            raise ValueError(
                "CharTokenizer: the text is empty; "
                "give one that has every character which will be encoded"
            )
        self.alphabet = "".join(sorted(set(text)))
        self._number = {c: i for i, c in enumerate(self.alphabet)}

    def __len__(self):
        return len(self.alphabet)

    def encode(self, text: str) -> np.ndarray:
        """str → (T,). Raises ValueError for a character that the alphabet lacks."""
        if unknown := sorted(set(text) - self._number.keys()):
            raise ValueError(
                f"CharTokenizer: no number for {''.join(unknown)!r}; "
                f"the text had {self.alphabet!r}; give it more text"
            )
        return np.array([self._number[c] for c in text], np.int64)

    def decode(self, tokens: np.ndarray) -> str:
        """(T,) → str. Raises ValueError for an integer outside 0 … len - 1."""
        return "".join(self.alphabet[t] for t in _checked(tokens, len(self)))


class BPETokenizer:
    """Byte-pair encoding: str ↔ (T,) integers.

    Token t < 256 is a byte, token 256 + i is the pair merges[i] of earlier tokens. Whatever
    Python calls a string comes back as it was, for every string is bytes (UTF-8, lone
    surrogates too). Raises ValueError for a merge of tokens that are not made before it.
    Source: Sennrich, Haddow & Birch 2016; over bytes, Radford et al. 2019.

    Examples
    --------
    >>> tokens = BPETokenizer.train("low lower lowest low", size=259)
    >>> tokens.encode("low")
    array([257])
    >>> tokens.decode(tokens.encode("slowly")), len(tokens)
    ('slowly', 259)
    """

    def __init__(self, merges: Iterable[tuple[int, int]]):
        self.merges = [tuple(map(int, pair)) for pair in merges]
        self.bytes = [bytes([b]) for b in range(256)]
        for i, pair in enumerate(self.merges):
            if len(pair) != 2 or not all(0 <= t < 256 + i for t in pair):
                raise ValueError(
                    f"BPETokenizer: merge {i} is {pair}; "
                    f"want a pair of tokens from 0 to {255 + i}, made before it"
                )
            self.bytes.append(self.bytes[pair[0]] + self.bytes[pair[1]])
        self._rank = {pair: i for i, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}

    @classmethod
    def train(cls, text: str, size: int = 512) -> "BPETokenizer":
        """Merge the most frequent pair of neighbours inside words, until `size` tokens.

        At a tie the pair of smaller numbers. There are fewer tokens, if no pair is left that
        comes twice. Raises ValueError for size below 256.
        """
        if size < 256:
            raise ValueError(
                f"BPETokenizer.train: size={size}; want at least 256, one token a byte"
            )
        counts = Counter(_WORDS.findall(text))
        words = [list(_utf8(word)) for word in counts]
        times = list(counts.values())
        frequency: Counter = Counter()  # of each pair
        where = defaultdict(set)  # the numbers of the words that a pair is in
        for i, word in enumerate(words):
            _count(word, i, times[i], frequency, where)
        merges: list[tuple[int, int]] = []
        while len(merges) < size - 256 and frequency:
            top = max(frequency.values())
            if top < 2:
                break
            pair = min(p for p, count in frequency.items() if count == top)
            for i in where.pop(pair):
                _count(words[i], i, -times[i], frequency, where)
                words[i] = _merge(words[i], pair, 256 + len(merges))
                _count(words[i], i, times[i], frequency, where)
            del frequency[pair]
            merges.append(pair)
        return cls(merges)

    def __len__(self):
        return len(self.bytes)

    def encode(self, text: str) -> np.ndarray:
        """str → (T,): inside each word, merges in the order in which they were learned."""
        return np.array([t for word in _WORDS.findall(text) for t in self._word(word)], np.int64)

    def decode(self, tokens: np.ndarray) -> str:
        """(T,) → str.

        Bytes that are no UTF-8, which only tokens from elsewhere can give, become �. Raises
        ValueError for an integer outside 0 … len - 1.
        """
        data = b"".join(self.bytes[t] for t in _checked(tokens, len(self)))
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace")

    def _word(self, word):
        if word not in self._known:
            tokens = list(_utf8(word))
            while pairs := [p for p in zip(tokens, tokens[1:]) if p in self._rank]:
                pair = min(pairs, key=self._rank.get)
                tokens = _merge(tokens, pair, 256 + self._rank[pair])
            self._known[word] = tokens
        return self._known[word]


def _utf8(text):
    return text.encode("utf-8", "surrogatepass")


def _count(word, i, times, frequency, where):
    """Enter (times > 0) or strike out (times < 0) the pairs of word i.

    `where` may keep words that lost a pair: harmless.
    """
    for pair in zip(word, word[1:]):
        frequency[pair] += times
        if times > 0:
            where[pair].add(i)


def _merge(word, pair, token):
    """The word with `token` in place of each `pair`, from the left."""
    out = []
    i = 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(token)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def _checked(tokens, size):
    """The tokens as a list, if they are a row of integers below `size`."""
    tokens = np.asarray(tokens)
    fits = tokens.ndim == 1
    if fits and tokens.size:
        whole = np.issubdtype(tokens.dtype, np.integer)
        fits = whole and tokens.min() >= 0 and tokens.max() < size
    if not fits:
        raise ValueError(
            f"decode: tokens {tokens.dtype} {tokens.shape}; "
            f"want (T,) of integers from 0 to {size - 1}"
        )
    return tokens.tolist()
