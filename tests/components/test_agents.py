"""Agents: each keeps to the contract, learns, and says in one line what it is not for."""

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.components.reinforcement import CrossEntropy, PolicyGradient, QLearning, Sarsa, training
from mlops_cli.components.reinforcement.making import agent_of, environment_of
from mlops_cli.components.reinforcement.policies import Network
from mlops_cli.components.reinforcement.schedules import Schedule, read_schedule
from mlops_cli.components.reinforcement.training import Arena, Stream, play, read_training, seeds
from mlops_cli.contracts import Trying
from mlops_cli.errors import ConfigError, StoreError, TrustError
from mlops_cli.testing import check_agent

MINE = "mlops_cli.components.reinforcement"
LAKE = {"id": "FrozenLake-v1", "is_slippery": False}
Q = {"_target_": f"{MINE}.QLearning", "alpha": 0.5, "epsilon": {"start": 1.0, "end": 0.0, "share": 0.5}}


@dataclass
class Repetition:
    """What a repetition is told, and what it logs."""

    folder: Path
    seed: int = 0
    points: dict = field(default_factory=dict)

    @property
    def trying(self) -> Trying:
        for name in ("kept", "checkpoints"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        return Trying(self.seed, 0, self.folder / "kept", self.folder / "checkpoints", self.log, self.folder)

    def log(self, step, **values):
        self.points[step] = values


def learned(config, repetition, trust=()):
    return training(config, trust)(config, repetition.trying)


def box_of_actions():
    return gymnasium.make("Pendulum-v1", max_episode_steps=20)


# --- the contract --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", [QLearning, Sarsa, CrossEntropy, PolicyGradient])
@pytest.mark.parametrize("env", ["FrozenLake-v1", "Blackjack-v1"])
def test_every_agent_keeps_to_the_contract_over_discrete_observations(agent, env):
    check_agent(agent, partial(gymnasium.make, env))


@pytest.mark.parametrize(
    "agent",
    [
        partial(QLearning, bins=4, low=[-2.4, -3, -0.2, -3], high=[2.4, 3, 0.2, 3]),
        partial(Sarsa, bins=[2, 2, 4, 4], low=-2, high=2),
        partial(CrossEntropy, population=4, noise={"start": 0.5, "end": 0.0}),
        partial(CrossEntropy, hidden=[3], population=5),
        partial(PolicyGradient, batch=4, entropy=0.01),
        partial(PolicyGradient, hidden=[], batch=5),
    ],
)
def test_every_agent_keeps_to_the_contract_over_a_box(agent):
    check_agent(agent, partial(gymnasium.make, "CartPole-v1"))


@pytest.mark.parametrize("agent", [partial(CrossEntropy, population=4), partial(PolicyGradient, batch=2)])
def test_policies_keep_to_the_contract_with_a_box_of_actions(agent):
    check_agent(agent, box_of_actions, episodes=10)


@pytest.mark.parametrize("fault", ["forgets", "draws anew", "pickles", "leaves the space"])
def test_an_agent_that_breaks_the_contract_is_told_so(fault):
    class Faulty(QLearning):
        def act(self, observation, *, explore):
            if fault == "draws anew" and explore:
                return int(np.random.default_rng().integers(4))
            return 4 if fault == "leaves the space" else super().act(observation, explore=explore)

        def save(self, folder):
            super().save(folder)
            if fault == "pickles":
                (folder / "agent.json").write_bytes(b"\x80\x04.")

        def load(self, folder):
            if fault != "forgets":
                super().load(folder)

    with pytest.raises(AssertionError):
        check_agent(Faulty, partial(gymnasium.make, "FrozenLake-v1"))


def test_an_agent_of_stable_baselines_keeps_to_the_contract():
    pytest.importorskip("stable_baselines3")
    from mlops_cli.components.reinforcement.sb3 import StableBaselines

    check_agent(partial(StableBaselines, n_steps=32, batch_size=16), partial(gymnasium.make, "CartPole-v1"), steps=64)


# --- equal to what is written by hand --------------------------------------------------------------------------------


def by_hand(seed, episodes, alpha=0.1, gamma=0.99, epsilon=0.1):
    """Q-learning in plain gymnasium: the table after so many episodes."""
    environment, rng = gymnasium.make("FrozenLake-v1"), np.random.default_rng(seed)
    table = np.zeros((16, 4))
    for number in map(int, np.random.SeedSequence([seed, 1, 0]).generate_state(episodes)):
        state, _ = environment.reset(seed=number)
        is_over = False
        while not is_over:
            if rng.random() < epsilon:
                action = int(rng.random() * 4)
            else:
                best = np.flatnonzero(table[state] == table[state].max())
                action = int(best[0] if len(best) == 1 else best[int(rng.random() * len(best))])
            following, reward, terminated, truncated, _ = environment.step(action)
            ahead = 0.0 if terminated else gamma * table[following].max()
            table[state, action] += alpha * (reward + ahead - table[state, action])
            state, is_over = following, terminated or truncated
    return table


def test_q_learning_is_equal_to_the_same_written_by_hand(tmp_path):
    config = {
        "env": {"id": "FrozenLake-v1"},
        "agent": {"_target_": f"{MINE}.QLearning"},
        "training": {"episodes": 300, "evaluate_every": 70, "evaluation_episodes": 3},
    }
    learned(config, Repetition(tmp_path, seed=3))
    with np.load(tmp_path / "kept" / "agent.npz", allow_pickle=False) as kept:
        table = kept["table"]
    assert table.any()
    np.testing.assert_array_equal(table, by_hand(3, 300))


def test_the_slopes_of_the_network_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    network = Network((3, 5, 4, 2), rng)
    network.set(rng.standard_normal(network.size))
    inputs, upstream = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    slopes, at, step = network.slopes(inputs, upstream), network.weights.copy(), 1e-6
    for place in range(network.size):
        moved = []
        for sign in (1, -1):
            network.set(at + sign * step * (np.arange(network.size) == place))
            moved.append(float((network(inputs) * upstream).sum()))
        assert slopes[place] == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=1e-6)


def test_sarsa_learns_the_worth_of_what_it_does_and_q_learning_of_what_is_best():
    """Sutton and Barto, example 6.6: along the cliff the one that explores falls, so SARSA stays away from it."""
    returns = {}
    for agent in (QLearning, Sarsa):
        made = gymnasium.make("CliffWalking-v1", max_episode_steps=200)
        learning = agent(made.observation_space, made.action_space, seed=0, alpha=0.5, gamma=1.0, epsilon=0.1)
        found = [play(made, learning, seed)[0] for seed in seeds(0, Stream.LEARNING, 400)]
        returns[agent] = np.mean(found[200:])
    assert returns[Sarsa] > returns[QLearning] + 10


# --- training --------------------------------------------------------------------------------------------------------


def lake(**how):
    return {
        "env": LAKE,
        "agent": Q,
        "training": {"episodes": 200, "evaluate_every": 50, "evaluation_episodes": 5, **how},
    }


def test_a_lake_that_is_not_slippery_is_crossed(tmp_path):
    repetition = Repetition(tmp_path)
    found = learned(lake(), repetition)
    assert found["return"] == 1.0
    assert found["length"] == 6.0
    assert found["episodes"] == 200
    assert list(repetition.points) == [50, 100, 150, 200]
    assert repetition.points[200].keys() == {"return", "length", "training_return"}


def test_training_ends_when_the_return_is_reached(tmp_path):
    found = learned(lake(episodes=500, until="solved"), Repetition(tmp_path))
    assert found["episodes"] < 500
    assert found["return"] >= 0.7


def test_training_ends_after_so_many_steps_of_the_environment(tmp_path):
    found = learned(lake(max_steps=100), Repetition(tmp_path))
    assert 100 <= found["steps"] < 200


def test_how_often_it_is_looked_at_changes_nothing_that_is_learned(tmp_path):
    found = []
    for number, every in enumerate([None, 7]):
        learned(lake(evaluate_every=every), Repetition(tmp_path / str(number)))
        with np.load(tmp_path / str(number) / "kept" / "agent.npz") as kept:
            found.append(kept["table"])
    np.testing.assert_array_equal(*found)


def test_no_episode_of_one_use_is_one_of_another():
    drawn = [seeds(0, stream, 100, at) for stream in Stream for at in (0, 50)] + [seeds(1, Stream.LEARNING, 100)]
    assert len({seed for part in drawn for seed in part}) == 100 * len(drawn)
    assert seeds(0, Stream.LEARNING, 10) == seeds(0, Stream.LEARNING, 20)[:10]


@pytest.mark.parametrize("target", ["QLearning", "Sarsa", "CrossEntropy", "PolicyGradient"])
def test_a_training_that_is_killed_goes_on_bit_for_bit(target, tmp_path, monkeypatch):
    monkeypatch.setattr("mlops_cli.components.reinforcement.progress.APART_S", 0.0)
    monkeypatch.setattr("mlops_cli.components.reinforcement.progress.SHARE", 1e9)
    batch = {"PolicyGradient": {"batch": 7}, "CrossEntropy": {"population": 7}}.get(target, {})
    config = {**lake(episodes=60, evaluate_every=20), "agent": {"_target_": f"{MINE}.{target}", **batch}}
    whole, torn = Repetition(tmp_path / "whole"), Repetition(tmp_path / "torn")
    expected = learned(config, whole)

    def killed(episode, **_):
        if episode == 40:
            raise KeyboardInterrupt

    torn.log, log = killed, torn.log
    with pytest.raises(KeyboardInterrupt):
        learned(config, torn)
    torn.log = log
    assert [path.name for path in (tmp_path / "torn" / "checkpoints").iterdir()] == [f"{39:012d}"]
    assert learned(config, torn) == expected
    assert torn.points == whole.points
    for name in ("agent.npz", "agent.json"):
        assert (tmp_path / "torn" / "kept" / name).read_bytes() == (tmp_path / "whole" / "kept" / name).read_bytes()


def test_a_checkpoint_that_a_crash_has_cut_short_is_not_taken_up(tmp_path):
    (tmp_path / "checkpoints" / f"{150:012d}").mkdir(parents=True)
    (tmp_path / "checkpoints" / f"{150:012d}" / "progress.json").write_text('{"episode": 1')
    assert learned(lake(), Repetition(tmp_path))["episodes"] == 200


def test_returns_are_the_environments_own_whatever_its_wrappers_make_of_them(tmp_path):
    wrapper = {"_target_": "gymnasium.wrappers.ClipReward", "min_reward": -3.0, "max_reward": -2.0}
    config = lake(episodes=5)
    found = learned({**config, "env": {**LAKE, "wrappers": [wrapper]}}, Repetition(tmp_path))
    assert found["return"] in {0.0, 1.0}


@pytest.mark.parametrize("explores", [True, False])
def test_an_action_that_is_none_is_said_with_the_actions_that_there_are(explores):
    class Wild(QLearning):
        def act(self, observation, *, explore):
            return 99 if explore is explores else super().act(observation, explore=explore)

    made = gymnasium.make("FrozenLake-v1")
    agent = Wild(made.observation_space, made.action_space, seed=0)
    with pytest.raises(ValueError, match=r"the agent's act gave 99, which is not in Discrete\(4\)"):
        play(made, agent, 0) if explores else Arena(LAKE).play(agent, [0])


def test_an_environment_that_fails_of_itself_is_not_blamed_on_the_agent():
    class Broken(gymnasium.Wrapper):
        def step(self, action):
            raise KeyError("of its own")

    made = Broken(gymnasium.make("Pendulum-v1"))
    agent = PolicyGradient(made.observation_space, made.action_space, seed=0)
    with pytest.raises(KeyError, match="of its own"):
        play(made, agent, 0)


# --- what is wrong is one line ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "key", "words"),
    [
        ({"id": "FrozenLak-v1"}, "env.id", "did you mean 'FrozenLake-v1'"),
        ({"id": "Nonsense"}, "env.id", "such as FrozenLake-v1"),
        ({"id": "FrozenLake-v9"}, "env.id", "'FrozenLake-v1'"),
        ({"id": "Taxi-v3"}, "env.id", "Taxi-v4"),
        ({"id": "no_such_module:Grid-v0"}, "env.id", "would import 'no_such_module', which is not trusted"),
        ({"id": "FrozenLake-v1", "is_slipery": True}, "env.is_slipery", "did you mean 'is_slippery'"),
        ({"id": "FrozenLake-v1", "map_name": "5x5"}, "env", "KeyError: '5x5'"),
        ({"id": "FrozenLake-v1", "wrappers": ["TimeLimit"]}, "env.wrappers[0]", "must be a wrapper with its keys"),
        (
            {"id": "FrozenLake-v1", "wrappers": [{"_target_": "gymnasium.wrappers.TimeLimt"}]},
            "env.wrappers[0]._target_",
            "did you mean 'TimeLimit'",
        ),
        (
            {"id": "FrozenLake-v1", "wrappers": [{"_target_": "gymnasium.wrappers.NormalizeObservation"}]},
            "env.wrappers[0]",
            "goes on learning",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:The environment")
def test_an_environment_that_cannot_be_made_is_said_in_one_line(env, key, words):
    with pytest.raises(ConfigError) as caught:
        environment_of(env)
    assert caught.value.key == key
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrapper_of_anything_but_gymnasium_needs_trust():
    with pytest.raises(TrustError, match="os is not trusted"):
        environment_of({"id": "FrozenLake-v1", "wrappers": [{"_target_": "os.system"}]})


def test_an_old_environment_is_warned_of_without_the_colours_of_a_terminal():
    with pytest.warns(UserWarning, match="CartPole-v0 is out of date") as caught:
        environment_of({"id": "CartPole-v0"}).close()
    assert "\x1b" not in str(caught[0].message)


@pytest.mark.parametrize(
    ("env", "agent", "words"),
    [
        ("CartPole-v1", {"_target_": f"{MINE}.QLearning"}, "needs discrete observations"),
        ("CartPole-v1", {"_target_": f"{MINE}.QLearning"}, "agent.bins=8 agent.low=[-4.8,…,-0.4189,…] agent.high=[4.8"),
        ("MountainCar-v0", {"_target_": f"{MINE}.QLearning"}, "agent.bins=8 makes a table of it"),
        ("CartPole-v1", {"_target_": f"{MINE}.QLearning", "bins": 4}, "no low bound at 1, 3 and no high bound at 1, 3"),
        ("CartPole-v1", {"_target_": f"{MINE}.QLearning", "bins": 4, "low": -1}, "(agent.high=[4.8,…,0.4189,…])"),
        ("CartPole-v1", {"_target_": f"{MINE}.Sarsa", "bins": [1, 2], "low": -1, "high": 1}, "must be 4 numbers"),
        ("CartPole-v1", {"_target_": f"{MINE}.Sarsa", "bins": 900, "low": -1, "high": 1}, "is too much"),
        ("Pendulum-v1", {"_target_": f"{MINE}.Sarsa", "bins": 4}, "needs discrete actions"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.QLearning", "alfa": 1}, "did you mean 'alpha'"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.QLearning", "seed": 1}, "every agent is given this"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.QLearning", "epsilon": {"start": 1, "ende": 0}}, "did you mean 'end'"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.QLearning", "gamma": 2}, "a number from 0 to 1"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.CrossEntropy", "hidden": "32"}, "must be a list such as [32]"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.training.play"}, "is not an agent"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.sb3.StableBaselines", "algorithm": "POP"}, "did you mean 'PPO'"),
        ("FrozenLake-v1", {"_target_": f"{MINE}.sb3.StableBaselines", "n_step": 3}, "did you mean 'n_steps'"),
    ],
)
def test_an_agent_that_does_not_suit_is_said_in_one_line(env, agent, words):
    with pytest.raises(ConfigError) as caught:
        agent_of(agent, gymnasium.make(env), 0)
    assert words in str(caught.value)
    assert caught.value.key.startswith("agent")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"episode": 3}, "did you mean 'episodes'"),
        ({"episodes": 0}, "1 or more"),
        ({"evaluate_every": 2.5}, "1 or more"),
        ({"until": "soon"}, "a return, solved or null"),
        ({"until": 1.0, "evaluate_every": None}, "only an evaluation tells"),
    ],
)
def test_a_training_that_cannot_be_meant_is_said_in_one_line(how, words):
    with pytest.raises(ConfigError) as caught:
        read_training(how, gymnasium.make("FrozenLake-v1"))
    assert words in str(caught.value)


def test_solved_needs_an_environment_that_says_when_it_is():
    with pytest.raises(ConfigError, match="CliffWalking-v1 does not say"):
        read_training({"until": "solved"}, gymnasium.make("CliffWalking-v1"))


def test_a_table_of_another_shape_is_not_loaded(tmp_path):
    small, large = (gymnasium.make("FrozenLake-v1", map_name=name) for name in ("4x4", "8x8"))
    QLearning(small.observation_space, small.action_space, seed=0).save(tmp_path)
    with pytest.raises(StoreError, match=r"\(16, 4\).*\(64, 4\)"):
        QLearning(large.observation_space, large.action_space, seed=0).load(tmp_path)


def test_arrays_with_objects_in_them_are_not_opened(tmp_path):
    made = gymnasium.make("FrozenLake-v1")
    agent = QLearning(made.observation_space, made.action_space, seed=0)
    agent.save(tmp_path)
    np.savez(tmp_path / "agent.npz", table=np.array([{"a": json}], dtype=object).astype(object)[:0])
    with pytest.raises(StoreError):
        agent.load(tmp_path)


# --- schedules -------------------------------------------------------------------------------------------------------


@given(
    start=st.floats(0.001, 1),
    end=st.floats(0.001, 1),
    share=st.floats(0.01, 1),
    progress=st.floats(0, 1),
    is_exponential=st.booleans(),
)
def test_a_schedule_begins_and_ends_where_it_says_and_stays_between(start, end, share, progress, is_exponential):
    schedule = Schedule(start, end, share, is_exponential=is_exponential)
    low, high = sorted((start, end))
    assert schedule.at(0.0) == pytest.approx(start)
    assert schedule.at(1.0) == pytest.approx(end)
    assert low - 1e-9 <= schedule.at(progress) <= high + 1e-9


def test_a_number_is_a_schedule_that_does_not_change():
    assert read_schedule(0.3, "agent.alpha") == Schedule(0.3, 0.3)


def test_an_environment_whose_episodes_may_never_end_is_refused_with_the_mend():
    with pytest.raises(ConfigError, match="nothing limits the steps of an episode of CliffWalking-v1") as found:
        environment_of({"id": "CliffWalking-v1"})
    assert "env.max_episode_steps=200" in found.value.hint
    assert environment_of({"id": "CliffWalking-v1", "max_episode_steps": 9}).spec.max_episode_steps == 9
    limit = {"_target_": "gymnasium.wrappers.TimeLimit", "max_episode_steps": 9}
    environment_of({"id": "CliffWalking-v1", "wrappers": [limit]})
