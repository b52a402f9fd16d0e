"""What an iterator gives, taken on a thread of its own."""

import queue
import threading


class Steps:
    """The steps of `iterate()`, one after the other; its error is raised where its turn is."""

    # How long each is waited for.
    seconds = 30

    def __init__(self, iterate):
        self.steps = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, args=(iterate,), daemon=True)
        self.thread.start()

    def _run(self, iterate):
        try:
            for step in iterate():
                self.steps.put(step)
        except BaseException as error:
            self.steps.put(error)

    def next(self):
        step = self.steps.get(timeout=self.seconds)
        if isinstance(step, BaseException):
            raise step
        return step
