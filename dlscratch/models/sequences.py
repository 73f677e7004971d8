"""Models of sequences."""

from __future__ import annotations

import numpy as np

from ..engine import Array
from ..layers import LSTM, Embedding, Linear, Module

__all__ = ["LSTMLanguageModel"]


class LSTMLanguageModel(Module):
    """log p(token_{t+1} | tokens up to t), unnormalized, by LSTM layers.

    An embedding, the LSTM and a Linear layer, all of one width. ids: integers (N, T), state: that
    of an earlier call or None → logits (N, T, vocab), state. Source: Sundermeyer et al. 2012.

    Parameters
    ----------
    vocab, width : the number of tokens, and of units in each layer.
    layers, dropout : of the LSTM.
    rng : draws the weights, and masks of dropout.

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch.models import LSTMLanguageModel
    >>> model = LSTMLanguageModel(vocab=11, width=8, rng=0)
    >>> logits, state = model(np.array([[1, 2, 3]]))
    >>> more, state = model(np.array([[4]]), state)
    >>> logits.shape, more.shape
    ((1, 3, 11), (1, 1, 11))
    """

    def __init__(
        self,
        vocab: int,
        width: int,
        layers: int = 1,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator | int | None = None,
    ):
        rng = np.random.default_rng(rng)
        self.embedding = Embedding(vocab, width, rng=rng)
        self.lstm = LSTM(width, width, layers, batch_first=True, dropout=dropout, rng=rng)
        self.head = Linear(width, vocab, rng=rng)

    def forward(
        self, ids: Array, state: tuple[Array, Array] | None = None
    ) -> tuple[Array, tuple[Array, Array]]:
        """(logits, state): the state carries what was read on to the next call."""
        x = self.embedding(ids)  # (N, T, width)
        x, state = self.lstm(x, state)  # (N, T, width)
        return self.head(x), state
