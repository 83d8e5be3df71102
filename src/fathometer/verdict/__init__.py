"""Scorecards → Verdict."""
