"""Text to integers and back: one for each character, or byte pairs merged in the order of their frequency."""

import re
from collections import Counter, defaultdict

import numpy as np

__all__ = ["CharTokenizer", "BPETokenizer"]

# Runs of letters and of signs, each with the one space before it, and white space: no character is left over, so nothing is lost.
_WORDS = re.compile(r" ?\w+| ?[^\s\w]+|\s+(?!\S)|\s+")


class CharTokenizer:
    """One integer a character, numbered in the order of the alphabet that `text` uses: str of length T ↔ (T,) integers."""

    def __init__(self, text):
        if not text:
            raise ValueError(
                "CharTokenizer: the text is empty; give one that has every character which will be encoded"
            )
        self.alphabet = "".join(sorted(set(text)))
        self._number = {c: i for i, c in enumerate(self.alphabet)}

    def __len__(self):
        return len(self.alphabet)

    def encode(self, text):
        """str → (T,). Raises ValueError for a character that the alphabet lacks."""
        if unknown := sorted(set(text) - self._number.keys()):
            raise ValueError(
                f"CharTokenizer: no number for {''.join(unknown)!r}; the text had {self.alphabet!r}; give it more text"
            )
        return np.array([self._number[c] for c in text], np.int64)

    def decode(self, tokens):
        """(T,) → str. Raises ValueError for an integer outside 0 … len - 1."""
        return "".join(self.alphabet[t] for t in _checked(tokens, len(self)))


class BPETokenizer:
    """Byte-pair encoding: token t < 256 is a byte, token 256 + i is the pair merges[i] of earlier tokens: str ↔ (T,) integers.

    Whatever Python calls a string comes back as it was, for every string is bytes (UTF-8, lone surrogates too).
    Source: Sennrich, Haddow & Birch 2016; over bytes, Radford et al. 2019.
    """

    def __init__(self, merges):
        self.merges, self.bytes = (
            [tuple(map(int, pair)) for pair in merges],
            [bytes([b]) for b in range(256)],
        )
        for i, pair in enumerate(self.merges):
            if len(pair) != 2 or not all(0 <= t < 256 + i for t in pair):
                raise ValueError(
                    f"BPETokenizer: merge {i} is {pair}; want a pair of tokens from 0 to {255 + i}, made before it"
                )
            self.bytes.append(self.bytes[pair[0]] + self.bytes[pair[1]])
        self._rank, self._known = {pair: i for i, pair in enumerate(self.merges)}, {}

    @classmethod
    def train(cls, text, size=512):
        """Merge the most frequent pair of neighbours inside words, the one of smaller numbers at a tie, until there are `size` tokens.

        Fewer, if no pair is left that comes twice. Raises ValueError for size below 256.
        """
        if size < 256:
            raise ValueError(
                f"BPETokenizer.train: size={size}; want at least 256, one token a byte"
            )
        counts = Counter(_WORDS.findall(text))
        words, times = [list(_utf8(w)) for w in counts], list(counts.values())
        frequency, where = (
            Counter(),
            defaultdict(set),
        )  # of each pair: how often, and in which words
        for i, word in enumerate(words):
            _count(word, i, times[i], frequency, where)
        merges = []
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

    def encode(self, text):
        """str → (T,): inside each word the merges are made in the order in which they were learned."""
        return np.array([t for word in _WORDS.findall(text) for t in self._word(word)], np.int64)

    def decode(self, tokens):
        """(T,) → str; bytes that are no UTF-8, which only tokens from elsewhere can give, become �. Raises ValueError as above."""
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
    """Enter (times > 0) or strike out (times < 0) the pairs of word i. `where` may keep words that lost a pair: harmless."""
    for pair in zip(word, word[1:]):
        frequency[pair] += times
        if times > 0:
            where[pair].add(i)


def _merge(word, pair, token):
    """The word with `token` in place of each `pair`, from the left."""
    out, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(token)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def _checked(tokens, size):
    tokens = np.asarray(tokens)
    if (
        tokens.ndim != 1
        or tokens.size
        and not (
            np.issubdtype(tokens.dtype, np.integer) and 0 <= tokens.min() and tokens.max() < size
        )
    ):
        raise ValueError(
            f"decode: tokens {tokens.dtype} {tokens.shape}; want (T,) of integers from 0 to {size - 1}"
        )
    return tokens.tolist()
