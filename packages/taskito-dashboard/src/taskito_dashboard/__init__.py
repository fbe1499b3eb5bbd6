"""A web page and a JSON API for taskito queues.

```python
from taskito import Queue
from taskito_dashboard import serve_dashboard

serve_dashboard(Queue("jobs.db"))
```
"""

from taskito_dashboard._version import __version__
from taskito_dashboard.entry import Dashboard, create_app
from taskito_dashboard.server import make_handler, serve_dashboard

__all__ = ["Dashboard", "__version__", "create_app", "make_handler", "serve_dashboard"]
