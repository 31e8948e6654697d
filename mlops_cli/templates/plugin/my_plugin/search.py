"""A script: a function that gives numbers, whatever it does for them."""

import random


def main(config, run):
    """Look for the deepest point of a valley by steps at random; the seed of each repetition is another one."""
    chance = random.Random(run.seed)
    at = chance.uniform(-5, 5)
    for step in range(config["params"]["steps"]):
        there = at + chance.gauss(0, config["params"]["stride"])
        at = min(at, there, key=lambda x: (x - 2) ** 2)
        run.log(step, height=(at - 2) ** 2)  # a point of a curve
    (run.folder / "found.txt").write_text(str(at))  # kept with the run, where the trial is its best
    return {"height": (at - 2) ** 2}
