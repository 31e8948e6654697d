"""Agents that learn in environments of gymnasium, which is loaded when one is made, never before."""

from mlops_cli.components.reinforcement.cross_entropy import CrossEntropy
from mlops_cli.components.reinforcement.making import agent_of, environment_of
from mlops_cli.components.reinforcement.policy_gradient import PolicyGradient
from mlops_cli.components.reinforcement.tabular import QLearning, Sarsa
from mlops_cli.components.reinforcement.training import training

__all__ = ["CrossEntropy", "PolicyGradient", "QLearning", "Sarsa", "agent_of", "environment_of", "training"]
