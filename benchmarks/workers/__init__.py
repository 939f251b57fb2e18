"""Programs that a row starts: each measures one thing in a process of its own, with its own threads and cores."""
