"""Raw file, SQL, folder or frame → `Table`, and the question asked of it: `Task` and `Split`."""
