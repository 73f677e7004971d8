"""What keeps the notebooks: their form, their execution, their costs, and other conditions to run them under."""
