"""Agents as experiments: run, swept, pruned, resumed, opened again, on however many workers."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import mlops_cli as mlops_library
from mlops_cli.errors import ConfigError, StoreError, UsageError

pytest.importorskip("gymnasium")

LAKE = """
    defaults:
      - experiment
      - agent: q_learning
      - _self_
    task: reinforcement
    env: {id: FrozenLake-v1, is_slippery: false}
    agent: {alpha: 0.5, epsilon: {end: 0.0, share: 0.5}}
    training: {episodes: 400, evaluate_every: 100, evaluation_episodes: 3}
    artifacts: {plots: none}
"""


@pytest.fixture
def lake(workspace):
    """The name of an experiment over a lake that is not slippery."""
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine"]\n')

    def write(body=LAKE, name="lake"):
        (workspace / "configs" / f"{name}.yaml").write_text(textwrap.dedent(body))
        return name

    return write


def run(name, *overrides, **options):
    return mlops_library.run(name, list(overrides), **{"n_jobs": 1, **options})


def crossed(agent, seed=0):
    environment = agent.environment()
    observation, _ = environment.reset(seed=seed)
    total, is_over = 0.0, False
    while not is_over:
        observation, reward, terminated, truncated, _ = environment.step(agent.act(observation))
        total, is_over = total + float(reward), terminated or truncated
    environment.close()
    return total


def test_a_run_has_the_return_of_each_seed_its_curve_and_its_agent(lake):
    found = run(lake())
    assert found.metrics["return"].splits == (1.0, 1.0, 1.0)
    assert found.metrics["length"].mean == 6.0
    lines = [json.loads(line) for line in (found.path / "curves.jsonl").read_text().splitlines()]
    assert [(line["split"], line["unit"], line["steps"]) for line in lines] == [
        (seed, "episode", [100, 200, 300, 400]) for seed in range(3)
    ]
    agent = mlops_library.load_agent(found)
    assert crossed(agent) == 1.0
    assert repr(agent) == f"<TrainedAgent QLearning of {found.id}, repetition 0, return=1>"
    assert crossed(mlops_library.load_agent("lake:best")) == 1.0


def test_a_sweep_over_agents_keeps_the_best_ones_own(lake):
    found = run(lake(), "agent=sarsa,cross_entropy", "evaluation.repetitions=1")
    assert found.best.params == {"agent": "sarsa"}
    agent = mlops_library.load_agent(found)
    assert type(agent.agent).__name__ == "Sarsa"
    assert crossed(agent) == 1.0
    assert [path.name for path in (found.path / "artifacts").iterdir()] == ["0"]


def test_results_are_equal_whatever_the_workers(lake):
    name = lake()
    overrides = ("env.is_slippery=true", "agent.alpha=0.1,0.4")
    one, two = (run(name, *overrides, n_jobs=jobs, force=True) for jobs in (1, 2))
    assert one.trials["return"].tolist() == two.trials["return"].tolist()
    assert (one.path / "curves.jsonl").read_text().splitlines().sort() == (
        (two.path / "curves.jsonl").read_text().splitlines().sort()
    )
    assert one.record.files["artifacts/0/agent.npz"] == two.record.files["artifacts/0/agent.npz"]


def test_points_that_are_worse_over_the_repetitions_are_pruned(lake):
    overrides = (
        "sweep.pruner=wilcoxon",
        "sweep.window=1",
        "evaluation.repetitions=12",
        "training.episodes=60,1",
        "env.is_slippery=true",
    )
    found = run(lake(), *overrides, "evaluation.metrics=[{steps: maximize}]")
    assert found.trials["state"].tolist() == ["completed", "pruned"]


def test_episodes_and_steps_that_it_took_are_measures(lake):
    found = run(lake(), "evaluation.metrics=[{episodes: minimize}, return]", "training.until=solved")
    assert 0 < found.metrics["episodes"].mean <= 400


def test_more_steps_are_neither_better_nor_worse_unless_it_is_said(lake):
    first, other = run(lake()), run("lake", "agent.alpha=0.4")
    assert dict(first.record.directions) == {"return": "maximize"}
    assert list(mlops_library.compare(first, other).table["verdict"][1:]) == ["unpaired"]
    for ranked in ("evaluation.metrics=[length]", "evaluation.primary=length"):
        with pytest.raises(ConfigError, match=r"which end of 'length' is the good one is not known.*length: minimize"):
            run("lake", ranked)
    assert run("lake", "evaluation.metrics=[{length: minimize}]").record.direction == "minimize"


def test_a_trial_in_an_environment_pairs_with_a_run_in_the_same_one_alone(lake):
    swept = run(lake(), "env.is_slippery=true,false", "training.episodes=100").record.id
    for number, slippery in enumerate(["true", "false"]):
        again = run("lake", f"env={{is_slippery: {slippery}, id: FrozenLake-v1}}", "training.episodes=100").record.id
        assert (
            "have the same return on every repetition" in mlops_library.compare(f"{swept}#{number}", again).sentences[0]
        )
        refused = mlops_library.compare(f"{swept}#{number}", f"{swept}#{1 - number}").sentences[0]
        assert f"env.is_slippery is {slippery} in A" in refused


def test_a_measure_that_no_agent_gives_is_refused_before_it_learns(lake):
    with pytest.raises(ConfigError, match="did you mean 'return'"):
        run(lake(), "evaluation.metrics=[{retrun: maximize}]")


def test_an_environment_that_is_given_whole_replaces_the_one_of_the_config(lake):
    found = run(
        lake(), "env={id: CartPole-v1}", "agent=cross_entropy", "training.episodes=3", "evaluation.repetitions=1"
    )
    assert found.metrics["length"].mean > 6


MINE = """
import gymnasium, json, random

class Grid(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(5), gymnasium.spaces.Discrete(2)

    def __init__(self, goal=4):
        self.goal = goal

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = int(self.np_random.integers(2))
        return self.at, {}

    def step(self, action):
        self.at = max(0, min(4, self.at + (1 if action else -1)))
        return self.at, float(self.at == self.goal), self.at == self.goal, False, {}

class Forward:
    def __init__(self, observation_space, action_space, *, seed, luck=1.0):
        self.rng, self.luck = random.Random(seed), luck
    def act(self, observation, *, explore):
        return int(not explore or self.rng.random() < self.luck)
    def learn(self, observation, action, reward, following, *, terminated):
        pass
    def end_episode(self):
        pass
    def save(self, folder):
        (folder / "forward.json").write_text(json.dumps(self.luck))
    def load(self, folder):
        self.luck = json.loads((folder / "forward.json").read_text())

gymnasium.register("Grid-v0", Grid, max_episode_steps=50)
"""


def test_an_agent_and_an_environment_of_ones_own_need_nothing_but_trust(lake, workspace):
    (workspace / "mine.py").write_text(MINE)
    body = LAKE.replace("- agent: q_learning\n      ", "").replace(
        "id: FrozenLake-v1, is_slippery: false", "id: 'mine:Grid-v0'"
    )
    body = body.replace("alpha: 0.5, epsilon: {end: 0.0, share: 0.5}", "_target_: mine.Forward, luck: 0.9")
    found = run(lake(body))
    assert found.metrics["return"].mean == 1.0
    assert crossed(mlops_library.load_agent(found)) == 1.0
    (workspace / "pyproject.toml").write_text("")
    with pytest.raises(ConfigError, match="mine is not trusted"):
        run("lake", force=True)


def test_an_environment_that_was_edited_is_learned_in_anew(lake, workspace):
    body = LAKE.replace("id: FrozenLake-v1, is_slippery: false", "id: 'mine:Grid-v0'")
    for worth in ("1.0", "2.0"):
        (workspace / "mine.py").write_text(MINE.replace("float(self", f"{worth} * float(self"))
        assert run(lake(body), "evaluation.repetitions=1").metrics["return"].mean == float(worth)


def test_a_trained_agent_of_which_a_byte_has_changed_is_not_opened(lake):
    found = run(lake(), "evaluation.repetitions=1")
    path = found.path / "artifacts" / "0" / "agent.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match="its sha256 differs"):
        mlops_library.load_agent(found)


def test_who_asks_for_a_model_is_told_of_the_agent(lake, workspace):
    found = run(lake(), "evaluation.repetitions=1", "artifacts.keep=none")
    (workspace / "rows.csv").write_text("a\n1\n")
    for ask in (lambda: mlops_library.load_model(found), lambda: mlops_library.predict(found, "rows.csv")):
        with pytest.raises(StoreError, match="load_agent"):
            ask()
    with pytest.raises(StoreError, match=r"artifacts\.keep=best keeps one"):
        mlops_library.load_agent(found)


def test_who_asks_for_an_agent_is_told_of_the_model(experiment):
    name = experiment("""
        defaults: [experiment, model: dummy, _self_]
        task: classification
        data: {path: data/mixed.csv, target: survived, features: [fare]}
        artifacts: {plots: none}
    """)
    with pytest.raises(UsageError, match="load_model"):
        mlops_library.load_agent(run(name))


def test_a_run_that_is_killed_goes_on_from_its_checkpoint(lake, workspace):
    """The agent waits for good at its 150th episode until it is killed; begun again it does not come by the first."""
    (workspace / "mine.py").write_text(
        textwrap.dedent("""
        import time
        from pathlib import Path
        from mlops_cli.components.reinforcement import QLearning, progress

        progress.APART_S = 0.0
        progress.SHARE = 1e9

        class Slow(QLearning):
            def end_episode(self):
                super().end_episode()
                with Path("ended").open("a") as file:
                    file.write("|")
                while self._done == 150 and not Path("go").exists():
                    time.sleep(0.01)
    """)
    )
    body = LAKE.replace("agent: {", "agent: {_target_: mine.Slow, ").replace("- agent: q_learning\n      ", "")
    body = body.replace("epsilon: {", "epsilon: {start: 1.0, ") + "    evaluation: {repetitions: 1}\n"
    name, ended = lake(body), workspace / "ended"
    command = [sys.executable, "-m", "mlops_cli", "run", f"config={name}", "launcher.n_jobs=1"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 120
    while not ended.exists() or len(ended.read_text()) < 150:
        assert process.poll() is None, process.stdout.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (workspace / "go").touch()
    ended.unlink()
    resumed = mlops_library.resume(f"{name}:latest", n_jobs=1)
    assert len(ended.read_text()) == 251  # all but the 149 that were kept
    whole = run(name, force=True)
    assert resumed.record.files["artifacts/0/agent.npz"] == whole.record.files["artifacts/0/agent.npz"]
    assert resumed.trials["return"].tolist() == whole.trials["return"].tolist()
