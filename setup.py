"""Shim for tools that still call setup.py (Beam's --setup_file); all metadata is in pyproject.toml."""

from setuptools import setup

setup()
