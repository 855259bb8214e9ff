"""Many training runs, and what they show.

designs/   what is varied: grids, the ablation, the course report's studies, layers of a block, random points
runs/      how the runs are made: planned, each known by a key, made in parallel, measured, kept
results/   what is shown of them: tables, the best of random points, charts
"""
