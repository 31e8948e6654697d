"""Registered models on disk: versions that stand alone and never change, and what people say of them."""

from __future__ import annotations

from mlops_cli.store.registry.registry import Registry

__all__ = ["Registry"]
