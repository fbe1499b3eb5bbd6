"""Flask extension for taskito.

```python
from flask import Flask
from taskito_flask import Taskito

taskito = Taskito()


@taskito.task
def send_welcome(user_id: int) -> None: ...


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.from_prefixed_env()
    taskito.init_app(app)
    return app
```
"""

from taskito_flask.dashboard import mount_dashboard
from taskito_flask.extension import Taskito
from taskito_flask.state import AppState

__version__ = "0.2.0"

__all__ = ["AppState", "Taskito", "__version__", "mount_dashboard"]
