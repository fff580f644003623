"""The command line: one module a command, with its flags and the wiring, nothing else. `app` starts them."""
