"""Starts bqemulator without DuckDB's extension for maps, which is downloaded when used."""

from bqemulator.storage.engine import DuckDBEngine

DuckDBEngine._load_spatial = lambda self: None

from bqemulator.cli import main  # noqa: E402

main()
