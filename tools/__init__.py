"""What maintains the project and is not installed: notebooks, the book, the race with PyTorch."""
