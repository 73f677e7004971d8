"""SAM makes the two steps that one would make by hand."""

import pytest

from dlscratch import optimizers

from .twins import backward, batches, distance, torch_backward, twins


@pytest.mark.parametrize("base", ["SGD", "Adam"])
def test_sam_equals_its_two_steps_in_torch(base):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine = optimizers.SAM(getattr(optimizers, base)(ours.parameters(), lr=0.05), rho=0.1)
    other, rho, worst = getattr(torch.optim, base)(theirs.parameters(), lr=0.05), 0.1, 0.0
    for x, y in batches():

        def closure():
            mine.zero_grad()
            return backward(ours, x, y)

        loss = mine.step(closure)
        other.zero_grad()
        assert loss.item() == pytest.approx(torch_backward(theirs, x, y).item(), rel=1e-8)
        with torch.no_grad():
            size = torch.sqrt(sum((p.grad**2).sum() for p in theirs.parameters()))
            climb = [rho * p.grad / size for p in theirs.parameters()]
            for p, e in zip(theirs.parameters(), climb, strict=True):
                p += e
        other.zero_grad()
        torch_backward(theirs, x, y)
        with torch.no_grad():
            for p, e in zip(theirs.parameters(), climb, strict=True):
                p -= e
        other.step()
        worst = max(worst, distance(ours, theirs))
    assert worst <= 1e-8
