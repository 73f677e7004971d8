"""What maintains the project and is not installed: notebooks, the book, and the race with PyTorch."""
