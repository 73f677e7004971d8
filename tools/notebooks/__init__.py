"""What keeps the notebooks: their form, execution, costs, and other conditions to run under."""
