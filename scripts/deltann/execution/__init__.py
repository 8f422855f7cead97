"""How a job runs a foreign tool."""
