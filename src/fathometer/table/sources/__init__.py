"""One file a source: each turns raw bytes, a query or a frame into a `Raw` table, kinds unknown."""
