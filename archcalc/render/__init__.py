"""Tables and how they leave: numbers become text here and nowhere else."""
