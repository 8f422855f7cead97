"""What the tests share: workspaces, made-up studies, small models, independent answers."""
