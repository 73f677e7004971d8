"""Models of sequences."""

import numpy as np

from ..layers import LSTM, Embedding, Linear, Module

__all__ = ["LSTMLanguageModel"]


class LSTMLanguageModel(Module):
    """log p(token_{t+1} | tokens up to t), unnormalized: an embedding, LSTM layers and a Linear layer, all of one width.

    ids: integers (N, T), state: that of an earlier call or None → logits (N, T, vocab), state. Source: Sundermeyer et al. 2012.
    """

    def __init__(self, vocab, width, layers=1, dropout=0.0, *, rng=None):
        rng = np.random.default_rng(rng)
        self.embedding = Embedding(vocab, width, rng=rng)
        self.lstm = LSTM(width, width, layers, batch_first=True, dropout=dropout, rng=rng)
        self.head = Linear(width, vocab, rng=rng)

    def forward(self, ids, state=None):
        """(logits, state): the state carries what was read on to the next call."""
        output, state = self.lstm(self.embedding(ids), state)
        return self.head(output), state
