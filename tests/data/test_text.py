"""Tokenizers give back every string; what they learn depends on the text alone."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlscratch.data import BPETokenizer, CharTokenizer

TEXT = "the cat sat on the mat; the rat sat — that's that.\n\n  Grüße, 世界! " * 5
BPE = BPETokenizer.train(TEXT, 280)
ANY = st.text(st.characters(), max_size=60) | st.text(TEXT, max_size=60)


@settings(max_examples=150, deadline=None)
@given(ANY)
@example("")
@example("\ud800 lone \udfff")
@example("\x1c\x85\u2028 \r\n\t")
@example("👩‍👩‍👧 e\u0301 \U0010ffff\x00")
def test_bpe_round_trips_every_string(text):
    tokens = BPE.encode(text)
    assert (
        tokens.dtype == np.int64
        and BPE.decode(tokens) == text
        and len(tokens) <= len(text.encode("utf-8", "surrogatepass"))
    )


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=40))
def test_char_round_trip(text):
    tokenizer = CharTokenizer(text)
    tokens = tokenizer.encode(text)
    assert (
        tokenizer.decode(tokens) == text
        and len(tokenizer) == len(set(text))
        and set(tokens) == set(range(len(tokenizer)))
    )


def by_the_book(words, size):
    """Sennrich's loop as one would write it on a board: count all pairs anew before each merge."""
    words, merges = {tuple(w.encode()): n for w, n in words.items()}, []
    while len(merges) < size - 256:
        pairs = Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        if not pairs or max(pairs.values()) < 2:
            break
        best = sorted(pairs, key=lambda p: (-pairs[p], p))[0]
        new, token = Counter(), 256 + len(merges)
        for word, n in words.items():
            out = []
            for t in word:  # t joins the one before it, unless that is already a new pair
                out = [*out[:-1], token] if out and (out[-1], t) == best else [*out, t]
            new[tuple(out)] += n
        words, merges = new, [*merges, best]
    return merges, words


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=12), st.integers(256, 280)
)
def test_merges_are_the_most_frequent_pairs(words, size):
    text = "\n\n".join(words)  # line ends that belong to no word
    counts = Counter(words)
    counts["\n"] += 2 * (len(words) - 1)
    merges, cut = by_the_book(counts, size)
    tokenizer = BPETokenizer.train(text, size)
    assert tokenizer.merges == merges
    assert all(
        tuple(tokenizer.encode(w)) in cut for w in counts
    )  # encoding cuts a word as learning did


def test_a_known_example():
    """aaabdaaabac: aa (4 pairs), then ab (2, before (256, 97)), then 256 257 (2)."""
    tokenizer = BPETokenizer.train("aaabdaaabac", 1000)
    assert tokenizer.merges == [(97, 97), (97, 98), (256, 257)] and len(tokenizer) == 259
    assert tokenizer.encode("aaabdaaabac").tolist() == [258, 100, 258, 97, 99]
    assert tokenizer.encode("aab aaaa").tolist() == [256, 98, 32, 256, 256]


def test_merges_are_reproducible_and_enough():
    assert BPETokenizer.train(TEXT, 280).merges == BPE.merges and len(BPE) == 280
    assert BPETokenizer.train(TEXT, 265).merges == BPE.merges[:9]
    again = BPETokenizer(np.array(BPE.merges))  # as loaded from a file
    assert again.encode(TEXT).tolist() == BPE.encode(TEXT).tolist() and again.bytes == BPE.bytes
    assert len(BPE.encode(TEXT)) < len(TEXT) / 2
    assert BPETokenizer.train("", 300).merges == [] and BPETokenizer.train("ab", 300).merges == []


def test_words_are_not_joined():
    tokens = [b.decode(errors="replace") for b in BPETokenizer.train(TEXT, 1000).bytes]
    assert not any(re.search(r"\S\s|\w[^\w\s\ufffd]", t) for t in tokens) and {
        " the",
        " Grüße",
        "'",
        " 世界",
    } <= set(tokens)


def test_half_a_character_is_shown_as_such():
    assert BPETokenizer([]).decode(list("ü".encode())[:1]) == "\ufffd"


def test_misuse():
    with pytest.raises(ValueError, match="text is empty"):
        CharTokenizer("")
    with pytest.raises(ValueError, match="no number for 'xz'; the text had 'abc'"):
        CharTokenizer("cab").encode("azxx")
    for tokenizer in (CharTokenizer("abc"), BPETokenizer([])):
        for wrong in ([len(tokenizer)], [-1], [[0]], [0.5]):
            with pytest.raises(ValueError, match=f"integers from 0 to {len(tokenizer) - 1}"):
                tokenizer.decode(wrong)
        assert tokenizer.decode([]) == ""
    with pytest.raises(ValueError, match="size=255"):
        BPETokenizer.train("abc", 255)
    with pytest.raises(
        ValueError, match="merge 1 is \\(97, 257\\); want a pair of tokens from 0 to 256"
    ):
        BPETokenizer([(97, 98), (97, 257)])
