"""A web page for taskito queues.

```python
from taskito import Queue
from taskito_dashboard import serve_dashboard

serve_dashboard(Queue("jobs.db"))
```
"""

from taskito_dashboard.app import create_app
from taskito_dashboard.server import serve_dashboard

__version__ = "0.1.0"

__all__ = ["__version__", "create_app", "serve_dashboard"]
