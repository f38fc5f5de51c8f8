"""PromQL, as far as the gate must understand it: text only, without any requests to a server."""
