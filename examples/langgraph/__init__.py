"""A LangGraph agent whose tools are a run's; see `agent.py`."""
