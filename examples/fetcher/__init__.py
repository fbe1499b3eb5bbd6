"""An async fetcher: a thousand requests by one worker with one thread, a hundred at a time."""
