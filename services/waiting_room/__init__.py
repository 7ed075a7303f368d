"""The waiting room: joining, admissions, positions and the draw."""
