"""The work of each stage that runs a foreign tool."""
