"""Error budget maths, exact and pure: DESIGN's formulas over fractions."""
