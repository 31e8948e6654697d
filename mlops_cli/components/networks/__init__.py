"""Neural networks as scikit-learn estimators; torch is loaded when one is fitted or asked, never before."""

from mlops_cli.components.networks.estimators import (
    ConvolutionClassifier,
    ConvolutionRegressor,
    NetworkClassifier,
    NetworkRegressor,
)
from mlops_cli.components.networks.starting import Start

__all__ = ["ConvolutionClassifier", "ConvolutionRegressor", "NetworkClassifier", "NetworkRegressor", "Start"]
