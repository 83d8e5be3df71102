"""Encoders of raw columns (pictures, texts, the rest of a table) and their late fusion."""
