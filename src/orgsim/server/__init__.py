"""The HTTP server: one application behind two ports, the production door and the sandbox door."""
