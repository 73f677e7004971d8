"""The race with PyTorch: the workloads, the counting of their work, and the measurement."""
